"""The fused recurrent network with stacks against single steps: outputs, last state, every gradient, and its own properties."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memtape.models.stack.stackrnn import StackRNN

# float64: both sides round at 1e-16; the steps are sums of products without magnification.
EXACT = 1e-11
# float32: rounding of 6e-8, amplified over the steps.
SINGLE = 1e-4

INPUT, OUTPUT, BATCH, TIME = 3, 2, 3, 9
EVERYTHING = {
    "lengths": torch.tensor([TIME, 0, 6]),
    "starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (), (2, 3, 5)]]),
    "checkpoint_every": 4,
}
OF_THE_CHOMSKY_STUDY = {
    "stacks": 1,
    "width": 8,
    "visible": 1,
    "no_op": True,
    "push_activation": "linear",
    "empty": 0.0,
    "controller": "rnn",
    "activation": "relu",
    "biases": True,
}
OPTIONS = {
    "of Joulin and Mikolov": {"stacks": 10, "width": 1},
    "of the Chomsky study": OF_THE_CHOMSKY_STUDY,
    "joint actions": {"joint_actions": True, "empty": 0.0, "no_op": True},
    "many visible cells": {"visible": 12},
    "tanh": {"push_activation": "tanh", "activation": "tanh", "controller": "rnn"},
    "gru": {"controller": "gru", "biases": True},
    "lstm of two layers": {"controller": "lstm", "controller_layers": 2, "initial_controller": "learned"},
    "relu of three layers": {"activation": "relu", "controller_layers": 3},
    "reads to output": {"reads_to_output": True},
}


def build(dtype=torch.float64, *, seed=0, moved=0.3, **options):
    torch.manual_seed(seed)
    network = StackRNN(INPUT, OUTPUT, **({"stacks": 3, "width": 2, "controller_size": 5} | options)).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(moved * (5 / max(5, parameter.shape[-1])) ** 0.5 * torch.randn_like(parameter))
    return network


def agree(machine, network, dtype=torch.float64, tolerance=EXACT, batch=BATCH, time=TIME, **run):
    assert network.cell.fused("cpu") is not None
    xs = torch.randn(batch, time, network.input_size, dtype=dtype)
    machine.compare(network, xs, tolerance=tolerance)
    return machine.compare(network, xs, machine.a_state(network, batch, dtype), tolerance=tolerance, **run)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(machine, options):
    agree(machine, build(**options), **EVERYTHING)


@pytest.mark.parametrize("size", [1, 3, 17, 33, 64])
def test_any_width_and_size_agrees(machine, size):
    agree(machine, build(width=size, controller_size=size))
    agree(machine, build(torch.float32, width=size, controller_size=size), torch.float32, SINGLE)


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (2, 1), (9, 2)])
def test_any_batch_and_number_of_threads_agrees(machine, batch, threads):
    torch.set_num_threads(threads)
    agree(machine, build(), batch=batch, lengths=torch.arange(batch) % TIME + 1)


@given(
    options=st.fixed_dictionaries(
        {
            "stacks": st.integers(1, 4),
            "width": st.integers(1, 9),
            "visible": st.integers(1, 3),
            "no_op": st.booleans(),
            "push_activation": st.sampled_from(["linear", "sigmoid", "tanh"]),
            "empty": st.sampled_from([0.0, -1.0]),
            "controller": st.sampled_from(["lstm", "gru", "rnn", "feedforward"]),
            "activation": st.sampled_from(["sigmoid", "tanh", "relu"]),
            "biases": st.booleans(),
        }
    ),
    time=st.integers(1, 40),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=15)
def test_any_machine_agrees(machine, options, time, seed):
    agree(machine, build(seed=seed, **options), time=time, batch=2)


def test_long_sequences_agree_over_several_stretches(machine):
    agree(machine, build(moved=0.1), time=70, batch=2)


def test_a_state_with_empty_cells_has_the_gradients_of_the_reference(machine):
    network = build()
    state = machine.a_state(network, BATCH)
    state.memory.cells[:, :, 1:] = 0  # as after pops of probability 1
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state, tolerance=EXACT)


def test_gradients_match_finite_differences(machine):
    machine.gradients_match_finite_differences(build(no_op=True), lengths=torch.tensor([3, 2]))


def test_padding_has_no_influence(machine):
    network = build()
    xs = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    state = machine.a_state(network, BATCH)
    machine.padding_has_no_influence(network, xs, state, 1e30, lengths=torch.tensor([4, 9, 1]), tolerance=EXACT)


def test_nan_stays_in_its_row(machine):
    network = build()
    machine.nan_stays_in_its_row(network, torch.randn(3, TIME, INPUT, dtype=torch.float64), machine.a_state(network, 3))


def test_uninitialised_memory_is_not_read(machine, fresh_memory):
    network, xs = build(), torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    found = []
    for poisoned in (True, False):
        fresh_memory(poisoned)
        found.append(machine.run("cpu", network, xs))
    machine.same_bits(*found)


@pytest.mark.parametrize("options", [{"max_depth": 3}, {"round_actions": True}], ids=["depth", "rounding"])
def test_what_needs_single_steps_has_no_fused_kernel(options):
    assert build(**options).eval().cell.fused("cpu") is None


def test_training_with_rounded_actions_in_tests_has_a_fused_kernel():
    assert build(round_actions=True).train().cell.fused("cpu") is not None
