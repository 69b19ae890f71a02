"""Transforms of torch: checkpointing, saved tensors elsewhere, `torch.func`, forward mode and autocast, on every model."""

import pytest
import torch
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint

from memtape import GRU, Leaky, StackedLSTM, tree, use_backend
from memtape.catalog.registry import MODELS
from memtape.core.backends import backends

INPUT, OUTPUT, BATCH, TIME = 3, 2, 2, 4
F64 = torch.float64
LIGHT = ("ntm", "dnc", "sdnc", "elman", "lru")

pytestmark = pytest.mark.usefixtures("kernels_are_present", "shapes_unchecked")


@pytest.fixture
def kernels_are_present():
    if backends()["cpu"]:
        pytest.skip(backends()["cpu"])


def of_card(name):
    return lambda: MODELS[name].load()(INPUT, OUTPUT, **MODELS[name].card.small)


NETWORKS = {name: of_card(name) for name, entry in MODELS.items() if entry.load().input_kind == "sequences"} | {
    "lstm, everything": lambda: StackedLSTM(INPUT, OUTPUT, hidden_size=4, peepholes=True, layer_norm=True),
    "gru, reset before": lambda: GRU(INPUT, OUTPUT, hidden_size=4, variant="reset_before", layer_norm=True),
    "leaky, linear": lambda: Leaky(INPUT, OUTPUT, hidden_size=4, recurrence="linear"),
}

each_network = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in LIGHT or "," in name else [pytest.mark.every_form]) for name in NETWORKS],
)


def built(name):
    torch.manual_seed(0)
    network = NETWORKS[name]().double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network, torch.randn(BATCH, TIME, INPUT, dtype=F64)


def slopes(network, xs, run):
    """Return the gradients of a loss of `run(inputs)`, for the inputs and the parameters."""
    inputs = xs.clone().requires_grad_()
    wanted = [inputs, *(parameter for parameter in network.parameters() if parameter.requires_grad)]
    return torch.autograd.grad(run(inputs).square().sum(), wanted, allow_unused=True)


@each_network
@pytest.mark.parametrize("reentrant", [False, True])
def test_torch_s_checkpointing_gives_the_same_gradients(name, reentrant):
    network, xs = built(name)
    inputs = xs.clone().requires_grad_()
    expected = slopes(network, xs, lambda xs: network(xs)[0])
    checkpoint(lambda xs: network(xs)[0], inputs, use_reentrant=reentrant).square().sum().backward()
    found = [inputs.grad, *(parameter.grad for parameter in network.parameters() if parameter.requires_grad)]
    torch.testing.assert_close(found, list(expected))


@each_network
def test_saved_tensors_may_be_kept_elsewhere(name):
    network, xs = built(name)
    expected = slopes(network, xs, lambda xs: network(xs)[0])
    with torch.autograd.graph.save_on_cpu():
        found = slopes(network, xs, lambda xs: network(xs)[0])
    torch.testing.assert_close(found, expected)


@each_network
def test_a_backward_pass_can_be_repeated(name):
    network, xs = built(name)
    inputs = xs.clone().requires_grad_()
    loss = network(inputs)[0].square().sum()
    first = torch.autograd.grad(loss, inputs, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(loss, inputs), first)


@each_network
def test_gradients_of_torch_func_are_the_same(name):
    network, xs = built(name)
    parameters = {key: value for key, value in network.named_parameters() if value.requires_grad}

    def loss(parameters, xs):
        return torch.func.functional_call(network, parameters, (xs,))[0].square().sum()

    own, of_inputs = torch.func.grad(loss, argnums=(0, 1))(parameters, xs)
    expected = slopes(network, xs, lambda xs: network(xs)[0])
    wanted = [
        torch.zeros_like(given) if slope is None else slope
        for slope, given in zip(expected, [xs, *parameters.values()], strict=True)
    ]
    torch.testing.assert_close([of_inputs, *own.values()], wanted)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, for derivatives of derivatives
@each_network
def test_directional_derivatives_are_those_of_the_reference(name):
    network, xs = built(name)
    direction = torch.randn_like(xs)
    (slope,) = slopes(network, xs, lambda xs: network(xs)[0])[:1]
    _, along = torch.func.jvp(lambda xs: network(xs)[0].square().sum(), (xs,), (direction,))
    torch.testing.assert_close(along, (slope * direction).sum())
    with forward_ad.dual_level():
        loss = network(forward_ad.make_dual(xs, direction))[0].square().sum()
        torch.testing.assert_close(forward_ad.unpack_dual(loss).tangent, along)


@each_network
def test_the_reference_runs_under_vmap(name):
    network, xs = built(name)
    many = torch.stack([xs, -xs, xs.roll(1, dims=0)])
    with use_backend("reference"):
        found = torch.func.vmap(lambda xs: network(xs)[0], randomness="same")(many)
        for own, expected in zip(many, found, strict=True):
            torch.testing.assert_close(network(own)[0], expected)


@each_network
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_autocast_gives_the_same_dtypes_on_every_backend(name, dtype):
    network, xs = built(name)
    found = {}
    for backend in ("reference", "scan", "cpu"):
        with use_backend(backend), torch.autocast("cpu", torch.bfloat16), torch.no_grad():
            ys, state = network.to(dtype)(xs.to(dtype))
        found[backend] = [ys.dtype, *(leaf.dtype for leaf in tree.leaves(state))]
    assert found["cpu"] == found["scan"] == found["reference"]
    assert found["cpu"][1:] == [dtype] * len(found["cpu"][1:])
    assert dtype == torch.float32 or found["cpu"][0] == F64
