"""The fused recurrent network with a nondeterministic stack against single steps, and its own properties."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memtape import NSRNN

# float64: both sides round at 1e-16; the steps are sums of products, without cancellation in the forward pass.
EXACT = 1e-11
# float32: rounding of 6e-8, amplified over the steps.
SINGLE = 1e-4

INPUT, OUTPUT, BATCH, TIME = 3, 2, 3, 9
EVERYTHING = {
    "lengths": torch.tensor([TIME, 0, 6]),
    "starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (), (2, 3, 5)]]),
    "checkpoint_every": 4,
}
OPTIONS = {
    "rns-rnn": {},
    "ns-rnn": {"normalised": True, "reading": "symbols"},
    "vrns-rnn": {"vector_size": 3},
    "vectors by symbol": {"vector_size": 2, "reading": "symbols", "bottom": "ones"},
    "window": {"window": 4},
    "window and vectors": {"window": 3, "vector_size": 2, "normalised": True},
    "one state and symbol": {"states": 1, "stack_symbols": 1},
    "five states": {"states": 5, "stack_symbols": 2},
    "gru": {"controller": "gru"},
    "feedforward": {"controller": "feedforward", "activation": "relu"},
    "lstm of two layers": {"controller_layers": 2, "initial_controller": "learned"},
    "reads to output": {"reads_to_output": True},
}


def build(dtype=torch.float64, *, seed=0, moved=0.3, **options):
    torch.manual_seed(seed)
    network = NSRNN(INPUT, OUTPUT, **({"states": 2, "stack_symbols": 3, "controller_size": 5} | options)).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(moved * torch.randn_like(parameter))
    return network


def agree(machine, network, dtype=torch.float64, tolerance=EXACT, batch=BATCH, time=TIME, **run):
    assert network.cell.fused("cpu") is not None
    xs = torch.randn(batch, time, network.input_size, dtype=dtype)
    machine.compare(network, xs, network.cell.init_state(batch, dtype=dtype), tolerance=tolerance)
    return machine.compare(network, xs, machine.a_state(network, batch, dtype), tolerance=tolerance, **run)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(machine, options):
    agree(machine, build(**options), **EVERYTHING)


@pytest.mark.parametrize("size", [1, 3, 17])
def test_any_number_of_symbols_agrees(machine, size):
    agree(machine, build(stack_symbols=size, states=1))
    agree(machine, build(torch.float32, stack_symbols=size, states=1), torch.float32, SINGLE)


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (2, 1), (5, 2)])
def test_any_batch_and_number_of_threads_agrees(machine, batch, threads):
    torch.set_num_threads(threads)
    agree(machine, build(), batch=batch, lengths=torch.arange(batch) % TIME + 1)


@given(
    options=st.fixed_dictionaries(
        {
            "states": st.integers(1, 4),
            "stack_symbols": st.integers(1, 4),
            "vector_size": st.integers(0, 2),
            "normalised": st.booleans(),
            "reading": st.sampled_from(["states", "symbols"]),
            "bottom": st.sampled_from(["learned", "ones", "zeros"]),
            "window": st.sampled_from([None, 1, 2, 5]),
        }
    ),
    time=st.integers(1, 12),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=8)
def test_any_machine_agrees(machine, options, time, seed):
    agree(machine, build(seed=seed, **options), time=time, batch=2)


@pytest.mark.parametrize("window", [None, 10])
def test_long_sequences_agree_without_and_with_saving(machine, window):
    network = build(moved=0.1, window=window)
    agree(machine, network, time=40, batch=2)
    xs = torch.randn(2, 40, INPUT, dtype=torch.float64)
    saved, _ = network(xs)
    with torch.no_grad():
        torch.testing.assert_close(network(xs)[0], saved, rtol=0, atol=0)


def test_rows_that_have_used_fewer_cells_have_the_gradients_of_the_reference(machine):
    network = build()
    state = machine.a_state(network, BATCH)
    state.memory.sources[1, 2:] = 0
    state.memory.table[1, :, 2:] = 0
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state, tolerance=EXACT)


def test_unused_cells_of_a_state_have_the_gradients_of_the_reference(machine):
    network = build()
    state = machine.a_state(network, BATCH)
    state.memory.sources[:, 2:] = 0
    state.memory.table[:, :, 2:] = 0
    state.memory.table[..., 2:, :] = 0
    machine.compare(network, torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state, tolerance=EXACT)


def test_weights_with_ties_and_without_runs_have_the_gradients_of_the_reference(machine):
    network = build(moved=0.0)
    with torch.no_grad():
        network.cell.machine.interface.head_parameters.linear.weight.zero_()
    agree(machine, network)
    state = machine.a_state(network, BATCH)
    state.memory.tops[1] = 0
    state.memory.sources[1] = 0
    state.memory.table[1] = 0
    network(torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), state)[0].sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_the_vector_of_the_bottom_has_the_gradient_of_the_reference(machine):
    machine.compare(build(vector_size=2), torch.randn(BATCH, TIME, INPUT, dtype=torch.float64), tolerance=EXACT)


def test_gradients_match_finite_differences(machine):
    machine.gradients_match_finite_differences(build(vector_size=1), lengths=torch.tensor([3, 2]))


def test_padding_has_no_influence(machine):
    network = build()
    xs = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    state = machine.a_state(network, BATCH)
    machine.padding_has_no_influence(network, xs, state, 1e30, lengths=torch.tensor([4, 9, 1]), tolerance=EXACT)


def test_nan_stays_in_its_row(machine):
    network = build()
    xs, state = torch.randn(3, TIME, INPUT, dtype=torch.float64), machine.a_state(network, 3)
    machine.nan_stays_in_its_row(network, xs, state, without="exponent")  # which is not read


def test_uninitialised_memory_is_not_read(machine, fresh_memory):
    network, xs = build(vector_size=2), torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    found = []
    for poisoned in (True, False):
        fresh_memory(poisoned)
        found.append(machine.run("cpu", network, xs))
    machine.same_bits(*found)
