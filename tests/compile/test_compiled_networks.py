"""Whole networks under `torch.compile`, as one graph."""

import pytest
import torch

from memtape import use_backend
from memtape.catalog.registry import MODELS
from memtape.core.backends import backends

pytestmark = [
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
    pytest.mark.usefixtures("shapes_unchecked"),
]

NETWORKS = [name for name, entry in MODELS.items() if getattr(entry.load(), "input_kind", None) == "sequences"]
ONE_EACH = {"gru", "ntm", "bilstm"}
LENGTHS = torch.tensor([3, 1])


@pytest.fixture(
    params=[pytest.param(name, marks=[] if name in ONE_EACH else [pytest.mark.every_form]) for name in NETWORKS]
)
def network(request):
    torch._dynamo.reset()
    return MODELS[request.param].load()(3, 2, **MODELS[request.param].card.small).eval()


@pytest.fixture(params=["reference", "cpu"])
def backend(request):
    if backends()[request.param]:
        pytest.skip(backends()[request.param])
    return request.param


def test_a_network_compiles_as_one_graph(network, backend, equal_up_to_rounding):
    xs = torch.randn(2, 3, 3)
    with use_backend(backend):
        compiled = torch.compile(network, fullgraph=True, backend="eager")
        equal_up_to_rounding(compiled(xs, lengths=LENGTHS), network(xs, lengths=LENGTHS))


def test_a_step_of_a_network_compiles_as_one_graph(network, backend, equal_up_to_rounding):
    if not hasattr(network, "step"):
        pytest.skip("the network reads whole sequences")
    x = torch.randn(2, 3)
    with use_backend(backend):
        compiled = torch.compile(network.step, fullgraph=True, backend="eager")
        equal_up_to_rounding(compiled(x), network.step(x))
