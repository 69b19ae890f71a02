"""Least used: a scalar implementation of the paper's equations, the order of equally used slots, and invalid options."""

import dataclasses
import math

import pytest
import torch

from memtape.memory import LeastUsedInterface, LeastUsedMemory

BATCH, SLOTS, WIDTH, HEADS, HIDDEN = 2, 6, 3, 2, 4
DOUBLE = torch.float64


def parts(steps=4, **options):
    """Return a memory in float64, its state after some steps, and a control for the next one."""
    torch.manual_seed(3)
    memory = LeastUsedMemory(SLOTS, WIDTH, heads=HEADS, **({"initial_memory": "random"} | options)).double()
    interface = LeastUsedInterface(HIDDEN, WIDTH, heads=HEADS).double()
    state = memory.init_state(BATCH, dtype=DOUBLE)
    for _ in range(steps):
        _, state = memory(interface(torch.randn(BATCH, HIDDEN, dtype=DOUBLE)), state)
    return memory, state, interface(torch.randn(BATCH, HIDDEN, dtype=DOUBLE))


def scalar_step(memory, control, state, row):
    """Return memory, read weights, usage and reads after one step, computed with scalars."""
    slots, words = range(SLOTS), state.memory[row].tolist()
    before, usage = state.read_weights[row].tolist(), state.usage[row].tolist()
    keys, add, gates = control.keys[row].tolist(), control.add[row].tolist(), control.gates[row].tolist()
    least = sorted(slots, key=lambda i: (usage[i], i))[:HEADS]
    writing = [[gates[h] * before[h][i] + (1 - gates[h]) * (i == least[h]) for i in slots] for h in range(HEADS)]
    words = [
        [(i != least[0]) * words[i][f] + sum(writing[h][i] * add[h][f] for h in range(HEADS)) for f in range(WIDTH)]
        for i in slots
    ]
    reading, reads = [], []
    for h in range(HEADS):
        cosines = [
            sum(k * w for k, w in zip(keys[h], word, strict=True)) / (math.hypot(*keys[h]) * math.hypot(*word))
            for word in words
        ]
        total = sum(math.exp(cosine) for cosine in cosines)
        reading.append([math.exp(cosine) / total for cosine in cosines])
        reads += [sum(reading[h][i] * words[i][f] for i in slots) for f in range(WIDTH)]
    usage = [memory.usage_decay * usage[i] + sum(reading[h][i] + writing[h][i] for h in range(HEADS)) for i in slots]
    return words, reading, usage, reads


@pytest.mark.parametrize("decay", [0.95, 0.3])
@pytest.mark.parametrize("initial", ["one-hot", "uniform", "zeros"])
def test_a_step_computes_the_paper_s_equations(initial, decay):
    memory, state, control = parts(initial_weights=initial, usage_decay=decay)
    reads, after = memory(control, state)
    for row in range(BATCH):
        expected = scalar_step(memory, control, state, row)
        for actual, wanted in zip((after.memory, after.read_weights, after.usage, reads), expected, strict=True):
            torch.testing.assert_close(actual[row], torch.tensor(wanted, dtype=DOUBLE), rtol=1e-10, atol=1e-10)


def test_only_the_least_used_slot_is_cleared():
    memory, state, control = parts()
    usage = torch.tensor([3.0, 2.0, 5.0, 1.0, 4.0, 6.0], dtype=DOUBLE).expand(BATCH, -1)
    nothing = dataclasses.replace(control, add=torch.zeros_like(control.add))
    after = memory.write(nothing, dataclasses.replace(state, usage=usage))
    assert not after.memory[:, 3].any()
    others = [0, 1, 2, 4, 5]
    assert torch.equal(after.memory[:, others], state.memory[:, others])


@pytest.mark.parametrize(("initial", "first"), [("one-hot", [1, 2]), ("uniform", [0, 1]), ("zeros", [0, 1])])
def test_a_fresh_memory_has_its_first_slots_written_first(initial, first):
    memory, state, control = parts(0, initial_weights=initial)
    assert memory.writing(control, state)[0].tolist() == [first] * BATCH


def test_the_first_weights_are_those_of_the_option():
    expected = {"one-hot": [1.0, 0, 0, 0, 0, 0], "uniform": [1 / SLOTS] * SLOTS, "zeros": [0.0] * SLOTS}
    for initial, weights in expected.items():
        _, state, _ = parts(0, initial_weights=initial)
        wanted = torch.tensor(weights, dtype=DOUBLE)
        torch.testing.assert_close(state.usage, wanted.expand(BATCH, -1))
        torch.testing.assert_close(state.read_weights, wanted.expand(BATCH, HEADS, -1))


def test_a_memory_of_equal_slots_fills_in_the_order_of_the_slots_in_float32_too():
    """All slots that were never written have the same usage except for the rounding of their weights."""
    torch.manual_seed(4)
    slots, heads = 40, 2
    memory = LeastUsedMemory(slots, 8, heads=heads)
    interface = LeastUsedInterface(HIDDEN, 8, heads=heads)
    for dtype in (torch.float32, torch.float64):
        state = memory.init_state(3, dtype=dtype)
        for step in range(15):
            control = interface.to(dtype)(torch.randn(3, HIDDEN, dtype=dtype))
            control = dataclasses.replace(control, gates=torch.zeros_like(control.gates))
            assert memory.writing(control, state)[0].tolist() == [[1 + heads * step, 2 + heads * step]] * 3
            _, state = memory(control, state)


def test_a_look_reads_by_content_and_counts_as_use():
    memory, state, control = parts()
    reads, after = memory.look(control, state)
    assert torch.equal(after.memory, state.memory)
    assert torch.equal(reads, memory.read(after))
    unchanged = dataclasses.replace(control, add=torch.zeros_like(control.add), gates=torch.ones_like(control.gates))
    addressed = memory.address(unchanged, state)
    assert torch.equal(after.read_weights, addressed.read_weights)
    torch.testing.assert_close(after.usage, memory.usage_decay * state.usage + after.read_weights.sum(1))


def test_the_usage_has_no_gradient_and_the_rest_has():
    memory, state, control = parts()
    control = dataclasses.replace(
        control, **{name: getattr(control, name).detach().requires_grad_() for name in ("keys", "add", "gates")}
    )
    reads, after = memory(control, state)
    assert not after.usage.requires_grad
    reads.sum().backward()
    for name in ("keys", "add", "gates"):
        assert getattr(control, name).grad.any()


@pytest.mark.parametrize("squash", [True, False])
def test_an_interface_adds_vectors_of_its_own_or_the_keys(squash):
    hidden = torch.randn(BATCH, HIDDEN)
    control = LeastUsedInterface(HIDDEN, WIDTH, heads=HEADS, squash=squash)(hidden)
    assert not torch.equal(control.add, control.keys)
    interface = LeastUsedInterface(HIDDEN, WIDTH, heads=HEADS, squash=squash, add_keys=True)
    control = interface(hidden)
    assert torch.equal(control.add, control.keys)
    raw = interface.head_parameters.linear(hidden)
    assert raw.shape[1] == HEADS * (WIDTH + 1)
    keys = raw[:, : HEADS * WIDTH].unflatten(1, (HEADS, WIDTH))
    torch.testing.assert_close(control.keys, torch.tanh(keys) if squash else keys)
    torch.testing.assert_close(control.gates, raw[:, HEADS * WIDTH :].sigmoid())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 7}, "heads is 7, but the memory has 6 slots, .* give more slots or fewer heads"),
        ({"usage_decay": 1.5}, r"usage_decay is 1\.5, but it is a probability; give a number in 0\.\.1"),
        (
            {"initial_weights": "learned"},
            "initial_weights is 'learned', but it must be one of 'one-hot', 'uniform', 'zeros'",
        ),
        ({"initial_memory": "full"}, "initial_memory is 'full', but it must be one of"),
        ({"heads": 0}, "heads of LeastUsedMemory is 0"),
    ],
)
def test_invalid_options_are_refused(options, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        LeastUsedMemory(SLOTS, WIDTH, **options)
