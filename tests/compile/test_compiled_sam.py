"""The fused sparse memories under `torch.compile`."""

import pytest
import torch

from memtape import tree, use_backend
from memtape.core.compiled_library import kernels
from memtape.models.sam.sam import SAM
from memtape.models.sam.sdnc import SDNC

pytestmark = [
    # The compiler reads .grad of a state computed from learned parameters, and this causes a warning.
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
    pytest.mark.filterwarnings("ignore:.*Graph break"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.skipif(kernels().absent is not None, reason=f"the fused kernels are absent: {kernels().absent}"),
]


def results(call, network, xs):
    network.zero_grad()
    ys, middle = call(xs[:, :3])
    more, last = call(xs[:, 3:], tree.detach(middle))
    (ys.square().sum() + more.square().sum() + last.memory.memory.sum()).backward()
    return [ys.detach(), more.detach(), *tree.leaves(tree.detach(last)), *(p.grad for p in network.parameters())]


@pytest.mark.parametrize("model", [pytest.param(SAM, marks=pytest.mark.every_form), SDNC])
def test_a_compiled_network_runs_the_fused_kernel(model):
    torch.manual_seed(0)
    torch._dynamo.reset()
    network = model(3, 2, slots=9, width=4, heads=2, nearest=3, controller_size=6, initial_memory="random")
    xs = torch.randn(2, 7, 3)
    with use_backend("reference"):
        expected = results(network, network, xs)
    compiled = torch.compile(network, backend="aot_eager")
    with use_backend("cpu"):
        for mine, other in zip(results(compiled, network, xs), expected, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)
