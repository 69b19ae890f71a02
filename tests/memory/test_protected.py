"""A protected memory: only the read weights change, and several memories side by side."""

import pytest
import torch

from memtape import tree
from memtape.memory import (
    ContentInterface,
    ContentMemory,
    DNCInterface,
    DNCMemory,
    LeastUsedInterface,
    LeastUsedMemory,
    Protected,
    SeveralInterfaces,
    SeveralMemories,
    StrengthStack,
    TuringInterface,
    TuringMemory,
)

BATCH, SLOTS, WIDTH, HIDDEN = 3, 5, 4, 6
F64 = torch.float64
HEADS = {"read_heads": 2, "write_heads": 2}
RANDOM = {"initial_memory": "random"}
KINDS = {
    "dnc": (lambda: DNCMemory(SLOTS, WIDTH, **HEADS, **RANDOM), lambda: DNCInterface(HIDDEN, WIDTH, **HEADS)),
    "turing": (
        lambda: TuringMemory(SLOTS, WIDTH, **HEADS, **RANDOM, read_first=False),
        lambda: TuringInterface(HIDDEN, WIDTH, **HEADS),
    ),
    "content": (
        lambda: ContentMemory(SLOTS, WIDTH, **HEADS, **RANDOM),
        lambda: ContentInterface(HIDDEN, WIDTH, **HEADS),
    ),
    "lrua": (
        lambda: LeastUsedMemory(SLOTS, WIDTH, heads=2, **RANDOM),
        lambda: LeastUsedInterface(HIDDEN, WIDTH, heads=2),
    ),
}


def built(kind):
    return [build().double() for build in KINDS[kind]]


def hidden():
    return torch.randn(BATCH, HIDDEN, dtype=F64)


def written(memory, interface):
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(4):
        _, state = memory(interface(hidden()), state)
    return state


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_changes_no_bit_but_those_of_the_read_weights(kind):
    memory, interface = built(kind)
    before = written(memory, interface)
    kept = tree.named_tensors(before)
    protected, state = Protected(memory), before
    for _ in range(5):
        control = interface(hidden())
        reads, after = protected(control, state)
        torch.testing.assert_close(reads, memory.read(after), rtol=0, atol=0)
        assert not torch.equal(after.read_weights, state.read_weights)
        state = after
    now = tree.named_tensors(state)
    moving = {"read_weights", "usage"} if kind == "lrua" else {"read_weights"}
    assert {name for name in kept if not torch.equal(kept[name], now[name])} == moving


def test_the_read_heads_move_as_those_of_a_step_that_writes_nothing():
    memory, interface = built("dnc")
    state = written(memory, interface)
    with torch.no_grad():
        gates = interface.head_parameters.linear.bias.split(interface.head_parameters.sizes)
        gates[interface.head_parameters.names.index("write_gates")].fill_(-torch.inf)
    interface.head_parameters.clip = None
    control = interface(hidden())
    reads, after = Protected(memory)(control, state)
    expected, moved = memory(control, state)
    torch.testing.assert_close(reads, expected)
    torch.testing.assert_close(after.read_weights, moved.read_weights)


def test_a_memory_without_a_step_that_only_reads_is_refused():
    with pytest.raises(TypeError, match="the memory is a StrengthStack, which has no step that reads without a write"):
        Protected(StrengthStack(WIDTH))


def test_address_write_and_read_are_those_of_the_step():
    memory, interface = built("dnc")
    state, control = written(memory, interface), interface(hidden())
    protected = Protected(memory)
    after = protected.address(control, state)
    assert protected.write(control, after) is after
    reads, stepped = protected(control, state)
    assert torch.equal(protected.read(after), reads)
    assert torch.equal(after.read_weights, stepped.read_weights)


def test_several_memories_take_their_steps_side_by_side():
    memories, interfaces = zip(*map(built, ("dnc", "turing")), strict=True)
    together, interface = SeveralMemories(memories), SeveralInterfaces(interfaces)
    assert together.read_size == 2 * 2 * WIDTH
    x, state = hidden(), together.init_state(BATCH, dtype=F64)
    for _ in range(2):
        reads, after = together(interface(x), state)
        for number, (memory, own) in enumerate(zip(memories, interfaces, strict=True)):
            expected, moved = memory(own(x), state.memories[number])
            assert torch.equal(reads.chunk(2, 1)[number], expected)
            assert torch.equal(after.memories[number].memory, moved.memory)
        assert torch.equal(together.read(after), reads)
        state = after
    parts = together.write(interface(x), together.address(interface(x), state))
    assert torch.equal(parts.memories[0].memory, memories[0](interfaces[0](x), state.memories[0])[1].memory)


def test_there_is_at_least_one_memory():
    with pytest.raises(ValueError, match="memories is empty, but there is nothing to read then; give one or more"):
        SeveralMemories([])
    with pytest.raises(ValueError, match="interfaces is empty, but every memory has one; give one or more"):
        SeveralInterfaces([])
