"""The heads of a tape: they stay, shift, and replace their position, as their control determines."""

import dataclasses

import pytest
import torch

from memtape.memory import TuringInterface, TuringMemory

BATCH, SLOTS, WIDTH, HIDDEN = 2, 5, 3, 4
HEADS = {"read_heads": 2, "write_heads": 2}


def turing():
    return TuringMemory(SLOTS, WIDTH, **HEADS, initial_memory="random").double()


def weights_of(state):
    return torch.cat([state.read_weights, state.write_weights], dim=1)


def one_hot(heads, slot):
    weights = torch.zeros(BATCH, heads, SLOTS, dtype=torch.float64)
    weights[:, :, slot] = 1
    return weights


def turing_control(**changes):
    """Return a control with which a Turing head stays at its position."""
    heads = torch.ones(BATCH, 4, dtype=torch.float64)
    kernel = torch.tensor([0, 1, 0], dtype=torch.float64).expand(BATCH, 4, 3)
    control = TuringInterface(HIDDEN, WIDTH, **HEADS).double()(torch.randn(BATCH, HIDDEN, dtype=torch.float64))
    return dataclasses.replace(control, **({"gates": 0 * heads, "kernel": kernel, "exponents": heads} | changes))


def turing_state():
    state = turing().init_state(BATCH, dtype=torch.float64)
    weights = torch.rand(BATCH, 4, SLOTS, dtype=torch.float64)
    weights = weights / weights.sum(-1, keepdim=True)
    return dataclasses.replace(state, read_weights=weights[:, :2], write_weights=weights[:, 2:])


def test_a_turing_head_whose_gates_are_all_zero_stays():
    state = turing_state()
    moved = turing().address(turing_control(), state)
    torch.testing.assert_close(weights_of(moved), weights_of(state), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("kernel", "step"), [([0.0, 0.0, 1.0], 1), ([1.0, 0.0, 0.0], -1)])
def test_a_turing_head_walks_along_the_tape(kernel, step):
    state, memory = turing_state(), turing()
    control = turing_control(kernel=torch.tensor(kernel, dtype=torch.float64).expand(BATCH, 4, 3))
    initial = weights_of(state)
    for steps in range(1, SLOTS + 1):
        state = memory.address(control, state)
        torch.testing.assert_close(weights_of(state), initial.roll(step * steps, dims=2), rtol=1e-8, atol=1e-10)


def test_an_open_gate_discards_the_position_of_a_turing_head(equal_up_to_rounding):
    state, memory = turing_state(), turing()
    control = turing_control(gates=torch.ones(BATCH, 4, dtype=torch.float64))
    elsewhere = dataclasses.replace(state, read_weights=one_hot(2, 0), write_weights=one_hot(2, 4))
    equal_up_to_rounding(weights_of(memory.address(control, state)), weights_of(memory.address(control, elsewhere)))
