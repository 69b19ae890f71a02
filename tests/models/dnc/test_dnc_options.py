"""Every option of a Differentiable Neural Computer has an effect, and an option at its default value changes nothing."""

import hashlib
import inspect
import re

import pytest
import torch
from torch import nn

from memtape import DNC, DNCCell, Recurrent, tree, unroll, use_backend
from memtape.cells import LSTMCell, Shortcuts
from memtape.memory import Normalised
from memtape.memory.program_options import OF_THE_PROGRAMS
from memtape.models.machine.scheduled import OF_THE_SCHEDULE

BATCH, TIME, INPUT, OUTPUT = 2, 7, 2, 3
F64 = torch.float64

SMALL = {"slots": 6, "width": 4, "controller_size": 5}
SPARSE = {"links": "sparse", "link_size": 4}

# The other value of each option, and what else must be set for it to matter.
ALTERNATIVES = {
    "slots": (4, {}),
    "width": (3, {}),
    "read_heads": (2, {}),
    "write_heads": (2, {}),
    "controller": ("gru", {}),
    "controller_size": (7, {}),
    "controller_layers": (2, {}),
    "controller_shortcuts": (False, {"controller_layers": 2}),
    "controller_clip": (0.2, {}),
    "read_feedback": (False, {}),
    "links": ("none", {}),
    "link_size": (30, SPARSE),
    "masked": (True, {}),
    "mask_floor": (0.3, {"masked": True}),
    "deallocate": (True, {}),
    "sharpen_links": (True, {}),
    "strengths": ("softplus", {}),
    "squash": (True, {}),
    "clip": (0.05, {}),
    "layer_norm": (True, {}),
    "usage_epsilon": (0.1, {}),
    "usage_tolerance": (0.9, {}),
    "norm_epsilon": (0.1, {}),
    "product_epsilon": (0.1, {}),
    "output_clip": (0.1, {}),
    "initial_memory": ("learned", {}),
    "initial_weights": ("random", {}),
    "initial_reads": ("learned", {}),
    "initial_controller": ("learned", {}),
}
# Options of the random initialisation, of gradients alone and of training alone.
TESTED_ALONE = {"controller_gain", "initial_strength", "usage_gradient", "bypass_dropout"}
OTHER_VALUES = {
    "controller": ["lstm", "gru", "rnn", "feedforward"],
    "links": ["dense", "sparse", "none"],
    "initial_memory": ["zeros", "constant", "even", "learned", "random"],
    "initial_weights": ["zeros", "constant", "random"],
    "initial_reads": ["zeros", "constant", "learned"],
}
OPTIONS = [name for name, p in inspect.signature(DNCCell).parameters.items() if p.kind is p.KEYWORD_ONLY]
DEFAULTS = {name: inspect.signature(DNCCell).parameters[name].default for name in OPTIONS}


def own_numbers(name, like):
    """Return numbers that depend on the name of a parameter alone."""
    for wrapper in ("controller.cell.", "controller.layers.0."):
        name = name.replace(wrapper, "controller.")
    name = name.replace("interface.interface.", "interface.")
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def build(**options):
    """Build a cell whose parameters are its initial values plus a fixed change that depends on the name."""
    cell = DNCCell(INPUT, OUTPUT, **(SMALL | options)).double()
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            drawn = name.endswith(("weight", "initial_slots.bias")) and ".norm" not in name
            parameter.copy_((0 if drawn else parameter) + 0.8 * own_numbers(name, parameter))
    return cell


def run(cell):
    xs = torch.randn(BATCH, TIME, INPUT, generator=torch.Generator().manual_seed(3), dtype=F64)
    return unroll(cell, xs)[0]


def equal(first, second):
    return first.shape == second.shape and torch.equal(first, second)


def test_no_option_is_left_out():
    assert set(ALTERNATIVES) | TESTED_ALONE | set(OF_THE_SCHEDULE) | set(OF_THE_PROGRAMS) == set(OPTIONS)


@pytest.mark.parametrize("option", ALTERNATIVES)
def test_an_option_matters(option):
    value, context = ALTERNATIVES[option]
    plain, changed = run(build(**context)), run(build(**(context | {option: value})))
    assert not torch.allclose(plain, changed, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_at_its_default_changes_nothing(option):
    value = SMALL.get(option, DEFAULTS[option])
    assert equal(run(build()), run(build(**{option: value})))


@pytest.mark.parametrize(("option", "values"), OTHER_VALUES.items(), ids=list(OTHER_VALUES))
def test_all_choices_of_an_option_differ(option, values):
    found = []
    for value in values:
        torch.manual_seed(0)
        found.append(run(build(**{option: value})))
    for number, one in enumerate(found):
        assert not any(torch.allclose(one, other, rtol=1e-12, atol=1e-15) for other in found[:number])


@pytest.mark.parametrize("controller", ["lstm", "gru", "rnn", "feedforward"])
def test_the_controller_s_gain_scales_its_weights_and_nothing_else(controller):
    torch.manual_seed(7)
    plain = DNCCell(INPUT, OUTPUT, controller=controller, **SMALL)
    torch.manual_seed(7)
    changed = DNCCell(INPUT, OUTPUT, controller=controller, controller_gain=3.0, **SMALL)
    expected = {
        name: 3 * value if name.startswith("machine.controller.") and name.endswith("weight") else value
        for name, value in plain.state_dict().items()
    }
    torch.testing.assert_close(dict(changed.state_dict()), expected)


def test_the_gradient_of_usage_changes_gradients_alone():
    cells = [build(usage_gradient=gradient) for gradient in (True, False)]
    outputs = [run(cell) for cell in cells]
    assert torch.equal(*outputs)
    gradients = []
    for cell, ys in zip(cells, outputs, strict=True):
        ys.square().sum().backward()
        gradients.append(cell.machine.interface.head_parameters.linear.weight.grad)
    assert not torch.allclose(*gradients)


def test_bypass_dropout_drops_the_controller_s_part_of_the_output_in_training_only(equal_up_to_rounding):
    plain, dropped = build(), build(bypass_dropout=0.5)
    equal_up_to_rounding(run(dropped.eval()), run(plain))
    dropped.train()
    torch.manual_seed(0)
    first = run(dropped)
    torch.manual_seed(1)
    assert not torch.allclose(run(dropped), first)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    with use_backend("reference"):
        states = [tree.named_tensors(unroll(cell, xs)[1]) for cell in (dropped, plain)]
    equal_up_to_rounding(*states)  # the heads read all of it


def test_with_a_dropout_of_1_the_output_depends_on_the_reads_alone():
    cell = build(bypass_dropout=1.0).train()
    weight, bias = cell.machine.to_output.weight, cell.machine.to_output.bias
    y, state = cell(torch.randn(BATCH, INPUT, dtype=F64), cell.init_state(BATCH, dtype=F64))
    torch.testing.assert_close(y, state.reads @ weight[:, SMALL["controller_size"] :].T + bias)


def test_layer_norm_acts_on_the_interface_and_in_the_controllers_that_support_it():
    for controller, inside in (("lstm", True), ("gru", True), ("rnn", False), ("feedforward", False)):
        machine = build(layer_norm=True, controller=controller).machine
        assert isinstance(machine.interface, Normalised)
        assert any(isinstance(part, nn.LayerNorm) for part in machine.controller.modules()) == inside
    assert not any(isinstance(part, nn.LayerNorm) for part in build().modules())


def test_every_layer_of_a_deep_controller_reads_the_input_and_reaches_the_output():
    controller = build(controller_layers=3, read_heads=2).machine.controller
    assert isinstance(controller, Shortcuts)
    seen = INPUT + 2 * SMALL["width"]
    assert [layer.input_size for layer in controller.layers] == [seen, seen + 5, seen + 5]
    assert all(isinstance(layer, LSTMCell) for layer in controller.layers)
    assert controller.output_size == 15


def test_the_size_of_the_interface_is_that_of_the_paper():
    for reads, width in ((1, 20), (4, 16), (5, 50)):
        cell = DNCCell(INPUT, OUTPUT, read_heads=reads, width=width, slots=8)
        assert cell.machine.interface.head_parameters.linear.out_features == reads * width + 3 * width + 5 * reads + 3


def test_every_option_is_documented():
    for option in ["input_size", "output_size", *OPTIONS]:
        assert re.search(rf"\n {{8}}{option}: ", inspect.getdoc(DNCCell).replace("\n    ", "\n        ")), option


def test_the_network_takes_the_options_of_its_cell():
    own, cell = inspect.signature(DNC), inspect.signature(DNCCell)
    assert own.parameters == cell.parameters
    torch.manual_seed(5)
    network = DNC(INPUT, OUTPUT, **SMALL)
    torch.manual_seed(5)
    by_hand = Recurrent(DNCCell(INPUT, OUTPUT, **SMALL))
    xs = torch.randn(BATCH, TIME, INPUT)
    assert torch.equal(network(xs)[0], by_hand(xs)[0])
    assert (network.input_size, network.output_size) == (INPUT, OUTPUT)


def test_the_control_of_the_heads_can_be_inspected():
    cell = build(masked=True, sharpen_links=True)
    x, state = torch.randn(BATCH, INPUT, dtype=F64), cell.init_state(BATCH, dtype=F64)
    control, after = cell.control(x, state), cell(x, state)[1]
    reads, memory = cell.machine.memory(control, state.memory)
    assert torch.equal(reads, after.reads)
    assert torch.equal(memory.usage, after.memory.usage)


def test_a_dropout_is_a_probability():
    with pytest.raises(
        ValueError, match=re.escape("bypass_dropout is 1.5, but it is a probability; give a number in 0..1")
    ):
        DNCCell(INPUT, OUTPUT, bypass_dropout=1.5)


@pytest.mark.parametrize(
    "options", [{}, {"links": "sparse", "masked": True}, {"layer_norm": True, "initial_memory": "random"}]
)
def test_a_saved_network_is_loaded_unchanged(options, tmp_path):
    network, xs = DNC(INPUT, OUTPUT, **SMALL, **options).eval(), torch.randn(BATCH, TIME, INPUT)
    network.save_pretrained(tmp_path / "shared")
    loaded = DNC.from_pretrained(tmp_path / "shared")
    assert loaded.configuration == network.configuration
    assert torch.equal(loaded(xs)[0], network(xs)[0])
