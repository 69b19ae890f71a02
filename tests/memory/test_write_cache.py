"""The write cache and both contents: their equations, and what they leave to the memory."""

import dataclasses

import pytest
import torch

from memtape import ops
from memtape.memory import BothContents, BothState, CachedInterface, CachedWrites, DNCInterface, DNCMemory

BATCH, SLOTS, WIDTH, HIDDEN = 3, 5, 4, 6
F64 = torch.float64


@pytest.fixture
def parts():
    memory = DNCMemory(SLOTS, WIDTH, write_heads=2, initial_memory="random").double()
    interface = DNCInterface(HIDDEN, WIDTH, write_heads=2)
    return memory, CachedInterface(interface, HIDDEN, WIDTH, write_heads=2).double()


def test_the_running_mean_is_written(parts):
    memory, interface = parts
    cached, plain = CachedWrites(memory, WIDTH, write_heads=2), memory.init_state(BATCH, dtype=F64)
    state, mean = cached.init_state(BATCH, dtype=F64), torch.full((BATCH, 2, WIDTH), 1e-6, dtype=F64)
    for _ in range(3):
        control = interface(torch.randn(BATCH, HIDDEN, dtype=F64))
        mean = control.gates * mean + (1 - control.gates) * control.memory.add
        expected, plain = memory(dataclasses.replace(control.memory, add=mean), plain)
        by_parts = cached.write(control, cached.address(control, state))
        reads, state = cached(control, state)
        torch.testing.assert_close(reads, expected, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(state.cache, mean, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(state.memory.memory, plain.memory, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(by_parts.memory.memory, plain.memory, rtol=1e-10, atol=1e-12)
        assert torch.equal(cached.read(state), reads)


def test_gates_are_a_sigmoid_of_the_hidden_vector(parts):
    _, interface = parts
    hidden = torch.randn(BATCH, HIDDEN, dtype=F64)
    control = interface(hidden)
    assert torch.equal(control.gates.flatten(1), torch.sigmoid(hidden @ interface.gates.weight.T))
    assert torch.equal(control.memory.add, interface.interface(hidden).add)
    names = [view.name for view in CachedWrites(DNCMemory(SLOTS, WIDTH), WIDTH).views(*one_step())]
    assert "adds" in names


def one_step():
    interface = CachedInterface(DNCInterface(HIDDEN, WIDTH), HIDDEN, WIDTH)
    return interface(torch.randn(BATCH, HIDDEN)), CachedWrites(DNCMemory(SLOTS, WIDTH), WIDTH).init_state(BATCH)


def test_both_contents_are_read_with_the_weights_of_the_own_one():
    memory = DNCMemory(SLOTS, WIDTH, read_heads=2, initial_memory="random").double()
    interface, both = DNCInterface(HIDDEN, WIDTH, read_heads=2).double(), BothContents(memory)
    assert both.read_size == 2 * 2 * WIDTH
    own = memory.init_state(BATCH, dtype=F64)
    assert torch.equal(both.init_state(BATCH, dtype=F64).other, own.memory)
    state = BothState(own=own, other=torch.randn(BATCH, SLOTS, WIDTH, dtype=F64))
    control = interface(torch.randn(BATCH, HIDDEN, dtype=F64))
    for step, expected in ((both, memory), (both.look, memory.look)):
        reads, after = step(control, state)
        mine, moved = expected(control, own)
        others = ops.read(state.other, moved.read_weights).flatten(1)
        assert torch.equal(reads, torch.cat([mine, others], 1))
        assert torch.equal(after.own.memory, moved.memory)
        assert after.other is state.other
        assert torch.equal(both.read(after), reads)
    parts = both.write(control, both.address(control, state))
    assert torch.equal(parts.own.memory, both(control, state)[1].own.memory)
    assert [view.name for view in both.views(control, state)] == [view.name for view in memory.views(control, own)]
