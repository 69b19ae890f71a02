"""A Differentiable Neural Computer under `torch.compile`, under autocast, and in torch's checks of operators."""

import pytest
import torch

from memtape import DNC, tree, use_backend
from memtape.core.compiled_library import kernels

pytestmark = [
    pytest.mark.skipif(kernels().absent is not None, reason=f"the fused kernels are absent: {kernels().absent}"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
    pytest.mark.filterwarnings("ignore:.*Graph break"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
]

LENGTHS = torch.tensor([4, 2])


@pytest.fixture
def network():
    torch.manual_seed(0)
    torch._dynamo.reset()
    return DNC(3, 2, slots=5, width=4, controller_size=6, initial_memory="learned")


def results(call, network, xs, **options):
    network.zero_grad()
    ys, last = call(xs, **options)
    (ys.square().sum() + last.memory.memory.sum() + last.memory.links.links.sum()).backward()
    return [ys.detach(), *tree.leaves(tree.detach(last)), *(parameter.grad for parameter in network.parameters())]


def test_a_compiled_network_runs_the_fused_kernel(network):
    xs = torch.randn(2, 4, 3)
    with use_backend("reference"):
        expected = results(network, network, xs, lengths=LENGTHS)
    compiled = torch.compile(network, backend="aot_eager")
    with use_backend("cpu"):
        for mine, other in zip(results(compiled, network, xs, lengths=LENGTHS), expected, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_the_operators_pass_torch_s_checks(network, operator_calls):
    with use_backend("cpu"), operator_calls as noted:
        ys, last = network(torch.randn(2, 4, 3), lengths=LENGTHS)
        (ys.sum() + last.memory.links.links.sum()).backward()
    assert len(noted.calls) == 2
    for operator, arguments in noted.calls:
        forwards = operator is torch.ops.memtape.dnc.default
        fresh = [value.detach().clone() if isinstance(value, torch.Tensor) else value for value in arguments]
        for value in fresh if forwards else []:
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                value.requires_grad_()
        tests = ["test_schema", "test_faketensor", "test_autograd_registration"]
        torch.library.opcheck(operator, tuple(fresh), test_utils=tests)


def test_autocast_leaves_the_state_in_float32(network):
    found = {}
    for backend in ("reference", "cpu"):
        xs = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
        with use_backend(backend), torch.autocast("cpu", dtype=torch.bfloat16):
            ys, last = network(xs)
        assert ys.dtype == torch.bfloat16
        assert {leaf.dtype for leaf in tree.leaves(last)} == {torch.float32}
        found[backend] = ys.float()
    torch.testing.assert_close(found["cpu"], found["reference"], rtol=0.05, atol=0.05)
