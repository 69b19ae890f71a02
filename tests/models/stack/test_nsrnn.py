"""The network with a nondeterministic stack: its wiring, its options, and a small task."""

import pytest
import torch
from torch.nn import functional

from memtape import NSRNN, NSRNNCell, unroll

F64 = torch.float64
INPUT, OUTPUT, BATCH, TIME = 3, 2, 2, 5
SMALL = {"states": 2, "stack_symbols": 3, "controller_size": 4}


@pytest.mark.parametrize("reads_to_output", [False, True])
@pytest.mark.parametrize("vector_size", [0, 2])
def test_a_sequence_is_controller_interface_and_stack_in_turn(vector_size, reads_to_output):
    cell = NSRNNCell(INPUT, OUTPUT, vector_size=vector_size, reads_to_output=reads_to_output, **SMALL).double()
    machine, xs = cell.machine, torch.randn(BATCH, TIME, INPUT, dtype=F64)
    ys, last, _ = unroll(cell, xs)
    controller, memory = machine.controller.init_state(BATCH, dtype=F64), machine.memory.init_state(BATCH, dtype=F64)
    reads = machine.memory.read(memory)
    for t in range(TIME):
        hidden, controller = machine.controller(torch.cat([xs[:, t], reads], -1), controller)
        reads, memory = machine.memory(machine.interface(hidden), memory)
        above = torch.cat([hidden, reads], -1) if reads_to_output else hidden
        torch.testing.assert_close(ys[:, t], above @ machine.to_output.weight.T + machine.to_output.bias)
    torch.testing.assert_close(last.reads, reads)
    torch.testing.assert_close(machine.memory.log_weights(last.memory), machine.memory.log_weights(memory))
    assert reads.shape == (BATCH, 6 * max(vector_size, 1))


def test_normalised_weights_and_readings_of_symbols_are_options():
    cell = NSRNNCell(INPUT, OUTPUT, normalised=True, reading="symbols", **SMALL)
    control = cell.control(torch.zeros(1, INPUT), cell.init_state(1))
    total = control.push.flatten(3).sum(-1) + control.replace.flatten(3).sum(-1) + control.pop.sum(-1)
    torch.testing.assert_close(total, torch.ones(1, 2, 3))
    assert cell.init_state(1).reads.tolist() == [[1, 0, 0]]


def test_a_trace_shows_the_runs():
    trace = NSRNN(INPUT, OUTPUT, **SMALL).trace(torch.randn(1, TIME, INPUT))
    assert trace["operations"].shape == (TIME, 3)
    assert trace["tops"].shape == (TIME, 6)


def test_invalid_options_are_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="stack_symbols of NSRNNCell is 0, but it must be at least 1"):
        NSRNN(2, 2, stack_symbols=0)
    with pytest.raises(ValueError, match="window is 0, but it must be at least 1"):
        NSRNN(2, 2, window=0)
    with pytest.raises(ValueError, match="controller is 'magic', but it must be one of"):
        NSRNN(2, 2, controller="magic")


def test_a_controller_without_a_state_learns_to_remember_the_last_input():
    torch.manual_seed(0)
    network = NSRNN(2, 2, states=1, stack_symbols=2, controller="feedforward", controller_size=8)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(40):
        symbols = torch.randint(2, (16, 5))
        ys, _ = network(symbols)
        loss = functional.cross_entropy(ys[:, 1:].flatten(0, 1), symbols[:, :-1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1  # without a memory at least ln 2 = 0.69
