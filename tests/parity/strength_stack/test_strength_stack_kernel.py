"""The fused networks with a strength stack, queue or deque against single steps: outputs, last state, every gradient, ties."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memtape import DequeLSTM, QueueLSTM, StackLSTM
from memtape.core.growth import with_room

# float64: both sides round at 1e-16; the steps are sums of products without magnification.
EXACT = 1e-11
# float32: rounding of 6e-8, amplified over the steps.
SINGLE = 1e-4

INPUT, OUTPUT, BATCH, TIME = 3, 2, 3, 9
NETWORKS = {"stack": StackLSTM, "queue": QueueLSTM, "deque": DequeLSTM}
EVERYTHING = {
    "lengths": torch.tensor([TIME, 0, 6]),
    "starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (), (2, 3, 5)]]),
    "checkpoint_every": 4,
}
OPTIONS = {
    "defaults": {},
    "reads to output": {"reads_to_output": True},
    "gru from zeros": {"controller": "gru", "initial_controller": "zeros"},
    "rnn": {"controller": "rnn"},
    "feedforward of two layers": {"controller": "feedforward", "controller_layers": 2},
    "lstm of two layers": {"controller_layers": 2, "reads_to_output": True},
    "strong pops": {"pop_bias": 1.0, "push_bias": 1.0},
}


@pytest.fixture(params=NETWORKS)
def access(request):
    return request.param


def build(access, dtype=torch.float64, *, seed=0, moved=0.3, **options):
    torch.manual_seed(seed)
    network = NETWORKS[access](INPUT, OUTPUT, **({"width": 2, "controller_size": 5} | options)).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(moved * (5 / max(5, parameter.shape[-1])) ** 0.5 * torch.randn_like(parameter))
    return network


def agree(machine, network, dtype=torch.float64, tolerance=EXACT, batch=BATCH, time=TIME, **run):
    assert network.cell.fused("cpu") is not None
    xs = torch.randn(batch, time, network.input_size, dtype=dtype)
    machine.compare(network, xs, tolerance=tolerance)
    return machine.compare(network, xs, machine.a_state(network, batch, dtype), tolerance=tolerance, **run)


def with_ties(network):
    """Set the strengths of every push and pop to exactly 1/2, with the derivatives of the sigmoid there."""
    machine = network.cell.machine
    linear, pushed = machine.interface.head_parameters.linear, machine.memory.ends * machine.memory.width
    with torch.no_grad():
        linear.weight[pushed:] = 0
        linear.bias[pushed:] = 0
    return network


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(machine, access, options):
    agree(machine, build(access, **options), **EVERYTHING)


@pytest.mark.parametrize("size", [1, 17, 64])
def test_any_width_and_size_agrees(machine, access, size):
    agree(machine, build(access, width=size, controller_size=size))
    agree(machine, build(access, torch.float32, width=size, controller_size=size), torch.float32, SINGLE)


@pytest.mark.parametrize(("access", "batch", "threads"), [("stack", 1, 1), ("queue", 2, 1), ("deque", 9, 2)])
def test_any_batch_and_number_of_threads_agrees(machine, access, batch, threads):
    torch.set_num_threads(threads)
    agree(machine, build(access), batch=batch, lengths=torch.arange(batch) % TIME + 1)


@pytest.mark.parametrize("access", ["stack", "deque"])
def test_matrices_larger_than_the_cache_agree(machine, access):
    """They are read for more than 8 rows at once, and the terms of a sum are added in several parts."""
    lengths = torch.tensor([4, 3, 0, 4, 4, 2, 4, 4, 1, 4, 4, 4, 4, 3, 4])
    agree(machine, build(access, width=160, controller_size=160), batch=15, time=4, lengths=lengths)


@given(
    access=st.sampled_from(list(NETWORKS)),
    options=st.fixed_dictionaries(
        {
            "width": st.integers(1, 9),
            "controller": st.sampled_from(["lstm", "gru", "rnn", "feedforward"]),
            "pop_bias": st.sampled_from([-2.0, 0.0, 2.0]),
            "push_bias": st.sampled_from([-2.0, 0.0, 2.0]),
            "reads_to_output": st.booleans(),
        }
    ),
    time=st.integers(1, 40),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=6)
def test_any_machine_agrees(machine, access, options, time, seed):
    agree(machine, build(access, seed=seed, **options), time=time, batch=2)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, EXACT), (torch.float32, SINGLE)])
def test_ties_have_the_derivatives_of_the_reference(machine, access, dtype, tolerance):
    network = with_ties(build(access, dtype))
    state = machine.a_state(network, BATCH, dtype)
    state.memory.strengths.copy_(torch.randint(0, 5, state.memory.strengths.shape) / 4)
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=dtype), state, tolerance=tolerance)


def test_a_state_with_empty_items_has_the_gradients_of_the_reference(machine, access):
    network = build(access)
    state = machine.a_state(network, BATCH)
    for part in (state.memory.values, state.memory.strengths):
        part[:, :, 1:] = 0  # as at the end of a run over rows of different lengths
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state, tolerance=EXACT)


def test_gradients_match_finite_differences(machine, access):
    machine.gradients_match_finite_differences(build(access), lengths=torch.tensor([3, 2]))


def test_padding_has_no_influence(machine, access):
    network = build(access)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    state = machine.a_state(network, BATCH)
    machine.padding_has_no_influence(network, xs, state, 1e30, lengths=torch.tensor([4, 9, 1]), tolerance=EXACT)


def test_nan_stays_in_its_row(machine, access):
    network = build(access)
    xs = torch.randn(3, TIME, INPUT, dtype=torch.float64)
    machine.nan_stays_in_its_row(network, xs, machine.a_state(network, 3))


def test_uninitialised_memory_is_not_read(machine, access, fresh_memory):
    network, xs = build(access), torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    found = []
    for poisoned in (True, False):
        fresh_memory(poisoned)
        found.append(machine.run("cpu", network, xs))
    machine.same_bits(*found)


def test_a_largest_depth_has_no_fused_kernel(access):
    assert build(access, max_depth=3).cell.fused("cpu") is None


def test_another_layer_before_the_output_has_no_fused_kernel(access):
    network = build(access)
    network.cell.machine.bypass[1] = torch.nn.ReLU()
    assert network.cell.fused("cpu") is None


def test_a_state_of_another_kind_of_access_is_refused():
    network = build("stack")
    fused, state = network.cell.fused("cpu"), with_room(network.init_state(BATCH), TIME)
    wrong = dataclasses.replace(fused.form, access="deque")
    xs = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    with pytest.raises(ValueError, match="items of 1 end, but a deque has 2"):
        fused.run(wrong, fused.controller.parameters(fused.cell), fused.plain(state), xs, None)
