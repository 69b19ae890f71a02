"""Every option of a Neural Turing Machine has an effect, and an option at its default value changes nothing."""

import hashlib
import inspect
import re

import pytest
import torch

from memtape import NTM, NTMCell, Recurrent, tree, unroll
from memtape.models.machine.scheduled import OF_THE_SCHEDULE

BATCH, TIME, INPUT, OUTPUT = 2, 5, 2, 3
F64 = torch.float64

SMALL = {"slots": 6, "width": 4, "controller_size": 5}
TWO = {"read_heads": 2, "write_heads": 2}

# The other value of each option, and what else must be set for it to matter.
ALTERNATIVES = {
    "slots": (9, {}),
    "width": (3, {}),
    "read_heads": (2, {}),
    "write_heads": (2, {}),
    "controller": ("gru", {}),
    "controller_size": (7, {}),
    "controller_layers": (2, {}),
    "shift_range": (2, {}),
    "addressing": ("content", {"initial_memory": "random"}),
    "similarity": ("dot", {}),
    "read_first": (False, {}),
    "sequential_heads": (True, TWO),
    "initial_memory": ("learned", {}),
    "initial_weights": ("uniform", {}),
    "initial_reads": ("zeros", {}),
    "initial_controller": ("zeros", {}),
    "squash": (False, {}),
    "clip": (0.05, {}),
    "gate_bias": (-1.0, {}),
    "sharpening_bias": (1.0, {}),
    "write_shift_bias": (1.0, {}),
    "read_stay_bias": (1.0, {}),
}
# Options of the random initialisation of the weights, which `build` below replaces.
RANDOM_INITIALISATION = {"controller_gain": 3.0}
OTHER_VALUES = {
    "controller": ["lstm", "gru", "rnn", "feedforward"],
    "initial_memory": ["constant", "learned", "random"],
    "initial_weights": ["learned", "one-hot", "uniform", "zeros"],
}
NOT_FOR_CONTENT = {
    "shift_range": 2,
    "sequential_heads": True,
    "initial_weights": "uniform",
    "gate_bias": 1.0,
    "sharpening_bias": 1.0,
    "write_shift_bias": 1.0,
    "read_stay_bias": 1.0,
}
OPTIONS = [name for name, p in inspect.signature(NTMCell).parameters.items() if p.kind is p.KEYWORD_ONLY]
DEFAULTS = {name: inspect.signature(NTMCell).parameters[name].default for name in OPTIONS}


def own_numbers(name, like):
    """Return numbers that depend on the name of a parameter alone."""
    name = name.replace("controller.cell.", "controller.").replace("controller.layers.0.", "controller.")
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def build(**options):
    """Build a cell whose parameters are its initial values plus a fixed change that depends on the name."""
    cell = NTMCell(INPUT, OUTPUT, **(SMALL | options)).double()
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            drawn = name.endswith(("weight", "initial_slots.bias"))
            parameter.copy_((0 if drawn else parameter) + 0.4 * own_numbers(name, parameter))
    return cell


def behaviour(cell):
    """Return the output and the initial state, which together describe the behaviour of a network."""
    xs = torch.randn(BATCH, TIME, INPUT, generator=torch.Generator().manual_seed(3), dtype=F64)
    return [unroll(cell, xs)[0], *tree.leaves(cell.init_state(BATCH, dtype=F64))]


def equal(first, second):
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_no_option_is_left_out():
    assert set(ALTERNATIVES) | set(RANDOM_INITIALISATION) | set(OF_THE_SCHEDULE) == set(OPTIONS)


@pytest.mark.parametrize("option", ALTERNATIVES)
def test_an_option_matters(option):
    value, context = ALTERNATIVES[option]
    plain, changed = build(**context), build(**(context | {option: value}))
    assert not equal(behaviour(plain), behaviour(changed))
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    assert not torch.allclose(unroll(plain, xs)[0], unroll(changed, xs)[0])


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_at_its_default_changes_nothing(option):
    value = SMALL.get(option, DEFAULTS[option])
    assert equal(behaviour(build()), behaviour(build(**{option: value})))


@pytest.mark.parametrize("controller", ["lstm", "gru", "rnn", "feedforward"])
def test_the_controller_s_gain_scales_its_weights_and_nothing_else(controller):
    torch.manual_seed(7)
    plain = NTMCell(INPUT, OUTPUT, controller=controller, **SMALL)
    torch.manual_seed(7)
    changed = NTMCell(INPUT, OUTPUT, controller=controller, controller_gain=3.0, **SMALL)
    expected = {
        name: 3 * value if name.startswith("machine.controller.") and name.endswith("weight") else value
        for name, value in plain.state_dict().items()
    }
    torch.testing.assert_close(dict(changed.state_dict()), expected)


@pytest.mark.parametrize(("option", "values"), OTHER_VALUES.items(), ids=list(OTHER_VALUES))
def test_all_choices_of_an_option_differ(option, values):
    found = [behaviour(build(**{option: value})) for value in values]
    for number, one in enumerate(found):
        assert not any(equal(one, other) for other in found[:number])


@pytest.mark.parametrize("option", sorted(set(ALTERNATIVES) - set(NOT_FOR_CONTENT) - {"addressing"}))
def test_an_option_matters_to_content_addressing_too(option):
    content = {"addressing": "content", "initial_memory": "random"}
    value = ALTERNATIVES[option][0]
    torch.manual_seed(0)
    plain = build(**content)
    torch.manual_seed(0)
    changed = build(**(content | {option: value}))
    assert not equal(behaviour(plain), behaviour(changed))


@pytest.mark.parametrize("option", NOT_FOR_CONTENT)
def test_an_option_of_shifting_is_refused_by_content_addressing(option):
    value = NOT_FOR_CONTENT[option]
    with pytest.raises(ValueError, match=f'{option} is {value!r}, but heads with addressing="content" do not shift'):
        NTMCell(INPUT, OUTPUT, addressing="content", **{option: value})
    NTMCell(INPUT, OUTPUT, addressing="content", **{option: DEFAULTS[option]})


def test_every_option_is_documented():
    for option in ["input_size", "output_size", *OPTIONS]:
        assert re.search(rf"\n {{8}}{option}: ", inspect.getdoc(NTMCell).replace("\n    ", "\n        ")), option


def test_the_network_takes_the_options_of_its_cell():
    own, cell = inspect.signature(NTM), inspect.signature(NTMCell)
    assert own.parameters == cell.parameters
    torch.manual_seed(5)
    network = NTM(INPUT, OUTPUT, **SMALL)
    torch.manual_seed(5)
    by_hand = Recurrent(NTMCell(INPUT, OUTPUT, **SMALL))
    xs = torch.randn(BATCH, TIME, INPUT)
    assert torch.equal(network(xs)[0], by_hand(xs)[0])
    assert (network.input_size, network.output_size) == (INPUT, OUTPUT)


@pytest.mark.parametrize("initial_weights", ["one-hot", "uniform", "zeros"])
def test_the_same_weights_run_with_twice_the_slots(initial_weights):
    small = build(initial_weights=initial_weights)
    large = build(initial_weights=initial_weights, slots=12)
    large.load_state_dict(small.state_dict())
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    ys, state, _ = unroll(large, xs)
    assert ys.isfinite().all()
    assert state.memory.memory.shape == (BATCH, 12, SMALL["width"])
    if initial_weights == "one-hot":
        assert not torch.allclose(ys, unroll(small, xs)[0])


def test_a_head_that_only_shifts_is_the_same_with_more_slots_until_it_wraps_around():
    cells = [build(initial_weights="one-hot", gate_bias=-1e3, clip=None, slots=slots) for slots in (12, 24)]
    cells[1].load_state_dict(cells[0].state_dict())
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    torch.testing.assert_close(unroll(cells[0], xs)[0], unroll(cells[1], xs)[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("option", ["initial_reads", "initial_controller"])
def test_an_unknown_initial_value_is_refused(option, shapes_unchecked):
    with pytest.raises(ValueError, match=f"{option} is 'magic', but it must be one of .*'learned', .*'zeros'"):
        NTMCell(INPUT, OUTPUT, **{option: "magic"})
