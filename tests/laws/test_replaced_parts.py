"""Replaced parts: a network whose layers were replaced, patched or wrapped computes what its reference computes."""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from memtape import DNC, GRU, NTM, SDNC, BiLSTM, StackedLSTM, use_backend
from memtape.catalog.registry import MODELS
from memtape.cells import ElmanCell, GRUCell, LSTMCell, Readout
from memtape.core.backends import backends
from memtape.core.cell import fused_run
from memtape.core.known_parts import are_linear, are_norms

INPUT, OUTPUT = 3, 2
LIGHT = ("ntm", "dnc", "sam", "lstm", "gru", "bilstm")

pytestmark = pytest.mark.usefixtures("kernels_are_present", "shapes_unchecked")


@pytest.fixture
def kernels_are_present():
    if backends()["cpu"]:
        pytest.skip(backends()["cpu"])


class Doubled(nn.Linear):
    """A layer whose outputs are twice those of its class."""

    def forward(self, x):
        return 2 * super().forward(x)


class LowRank(nn.Module):
    """A layer with a low-rank adapter; `weight` and `bias` are those of the layer."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(torch.randn(2, layer.in_features))
        self.up = nn.Parameter(torch.randn(layer.out_features, 2))
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x):
        return self.layer(x) + x @ self.down.T @ self.up.T


class Halved(nn.Module):
    """Half of a weight."""

    def forward(self, weight):
        return weight / 2


def replace(network, new):
    """Replace every linear layer of a network."""
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) is nn.Linear:
                setattr(module, name, new(layer))
    return network


def subclass(layer):
    new = Doubled(layer.in_features, layer.out_features, bias=layer.bias is not None)
    new.load_state_dict(layer.state_dict())
    return new


def patched(layer):
    layer.forward = lambda x, own=layer.forward: 2 * own(x)
    return layer


def without_bias(layer):
    new = nn.Linear(layer.in_features, layer.out_features, bias=False)
    new.weight = layer.weight
    return new


def with_bias(layer):
    new = nn.Linear(layer.in_features, layer.out_features)
    nn.init.normal_(new.bias)
    new.weight = layer.weight
    return new


def halved(layer):
    parametrize.register_parametrization(layer, "weight", Halved())
    return layer


def old_weight_norm(layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(layer)


def quantized(network):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(network, {nn.Linear})


CHANGES = {
    "subclass": lambda network: replace(network, subclass),
    "adapter": lambda network: replace(network, LowRank),
    "patched": lambda network: replace(network, patched),
    "without bias": lambda network: replace(network, without_bias),
    "with bias": lambda network: replace(network, with_bias),
    "weight norm": lambda network: replace(network, parametrizations.weight_norm),
    "weight norm by hooks": lambda network: replace(network, old_weight_norm),
    "spectral norm": lambda network: replace(network, parametrizations.spectral_norm),
    "pruned": lambda network: replace(network, lambda layer: prune.random_unstructured(layer, "weight", 0.5)),
    "parametrized": lambda network: replace(network, halved),
    "quantized": quantized,
}

SEQUENCES = [name for name, entry in MODELS.items() if entry.load().input_kind == "sequences"]


def built(name, **options):
    torch.manual_seed(0)
    network = MODELS[name].load()(INPUT, OUTPUT, **(MODELS[name].card.small | options)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


def results(name, change, backend):
    """Return the outputs of a changed network on a backend, and the gradients of its parameters."""
    network = CHANGES[change](built(name))
    xs = torch.randn(2, 4, INPUT, generator=torch.Generator().manual_seed(1))
    with use_backend(backend):
        ys = network(xs)[0]
    if not ys.requires_grad:
        return ys, {}
    ys.square().sum().backward()
    return ys.detach(), {name: parameter.grad for name, parameter in network.named_parameters()}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in LIGHT else [pytest.mark.every_form]) for name in SEQUENCES]
)
def test_replaced_layers_are_used(name, change):
    with torch.set_grad_enabled(change != "quantized"):
        expected, slopes = results(name, change, "reference")
        found, own = results(name, change, "cpu")
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for parameter, slope in slopes.items():
        assert (own[parameter] is None) == (slope is None), parameter
        if slope is not None:
            torch.testing.assert_close(own[parameter], slope, rtol=1e-3, atol=1e-4)
            assert change != "adapter" or not parameter.endswith(("up", "down")) or slope.any(), parameter


FORMS = {
    "lstm, normalised": lambda: Readout(LSTMCell(INPUT, 4, layer_norm=True), OUTPUT),
    "gru, normalised": lambda: Readout(GRUCell(INPUT, 4, layer_norm=True), OUTPUT),
    "gru, reset before": lambda: Readout(GRUCell(INPUT, 4, variant="reset_before"), OUTPUT),
    "gru, reset before, normalised": lambda: Readout(
        GRUCell(INPUT, 4, variant="reset_before", layer_norm=True), OUTPUT
    ),
}


@pytest.mark.parametrize("change", ["subclass", "adapter", "patched"])
@pytest.mark.parametrize("form", FORMS)
def test_every_sub_layer_is_called_by_the_reference(form, change):
    torch.manual_seed(0)
    cell = FORMS[form]()
    layers = [name for name, module in cell.named_modules() if type(module) in (nn.Linear, nn.LayerNorm)]
    x, state = torch.randn(2, INPUT), cell.init_state(2)
    state = cell(x, state)[1]
    for name in layers:
        called = []
        cell.get_submodule(name).register_forward_hook(lambda *_, called=called: called.append(1))
        cell(x, state)
        assert called, name
    before, _ = cell(x, state)
    after, _ = CHANGES[change](cell)(x, state)
    assert (after - before).abs().max() > 1e-3


def is_fused(cell):
    return fused_run(cell, "cpu") is not None


def test_a_class_with_another_step_has_no_kernel():
    class Negated(ElmanCell):
        def forward(self, x, state):
            y, state = super().forward(x, state)
            return -y, state

    class NegatedReadout(Readout):
        def forward(self, x, state):
            y, state = super().forward(x, state)
            return -y, state

    assert is_fused(ElmanCell(2, 3))
    assert is_fused(Readout(ElmanCell(2, 3), 1))
    assert not is_fused(Negated(2, 3))
    assert not is_fused(Readout(Negated(2, 3), 1))
    assert not is_fused(NegatedReadout(ElmanCell(2, 3), 1))


def test_a_patched_step_has_no_kernel(monkeypatch):
    cell = Readout(ElmanCell(2, 3), 1)
    cell.cell.forward = lambda x, state: (2 * x, state)
    assert not is_fused(cell)
    network, deep = NTM(3, 2, slots=4, width=3, controller_size=4), DNC(3, 2, slots=4, width=3, controller_size=4)
    assert is_fused(network.cell)
    for part in ("machine", "machine.controller", "machine.controller.cell", "machine.interface", "machine.memory"):
        changed = copy.deepcopy(network)
        changed.cell.get_submodule(part).forward = lambda *given: given
        assert not is_fused(changed.cell), part
    assert is_fused(deep.cell)
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: x)
    assert not is_fused(network.cell)
    assert not is_fused(deep.cell)
    monkeypatch.undo()
    monkeypatch.setattr(type(network.cell.machine.memory), "forward", lambda *given: given)
    assert not is_fused(network.cell)
    assert is_fused(deep.cell)


def test_exactly_the_parts_of_the_kernels_are_known():
    assert are_linear(nn.Linear(2, 3))
    assert not are_linear(nn.Linear(2, 3, bias=False))
    assert are_linear(nn.Linear(2, 3, bias=False), bias=False)
    assert not are_linear(nn.Linear(2, 3), nn.Identity())
    assert are_norms(nn.LayerNorm(3), nn.LayerNorm(4))
    assert not are_norms(nn.LayerNorm(3), nn.LayerNorm(4, eps=1e-3))
    assert not are_norms(nn.LayerNorm(3, elementwise_affine=False), bias=False)
    assert not are_norms(nn.LayerNorm((2, 3)))
    assert not are_norms(nn.RMSNorm(3), bias=False)


@pytest.mark.parametrize("model", [NTM, SDNC, GRU, StackedLSTM, BiLSTM])
def test_quantised_networks_read_symbols(model):
    small = {"slots": 4, "width": 3, "controller_size": 4} if model in (NTM, SDNC) else {"hidden_size": 4}
    network = quantized(model(INPUT, OUTPUT, **small).eval())
    symbols = torch.randint(INPUT, (2, 4))
    with torch.no_grad():
        torch.testing.assert_close(network(symbols)[0], network(torch.eye(INPUT)[symbols])[0])
