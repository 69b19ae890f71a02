"""One step of a Neural Turing Machine against a scalar implementation of the paper."""

import math
from typing import NamedTuple

import pytest
import torch

from memtape import NTMCell, tree, unroll

F64 = torch.float64
INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH = 2, 3, 5, 4, 6, 2


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def softplus(z):
    return math.log(1 + math.exp(z))


def softmax(values):
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]


def linear(matrix, vector, bias=None):
    sums = [sum(a * v for a, v in zip(row, vector, strict=True)) for row in matrix.tolist()]
    return sums if bias is None else [s + b for s, b in zip(sums, bias.tolist(), strict=True)]


def lstm(parameters, x, hidden, cell):
    from_x = linear(parameters["from_input.weight"], x, parameters["from_input.bias"])
    from_h = linear(parameters["from_hidden.weight"], hidden)
    z = [a + b for a, b in zip(from_x, from_h, strict=True)]
    i, f, g, o = (z[k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
    new_cell = [sigmoid(f[u]) * cell[u] + sigmoid(i[u]) * math.tanh(g[u]) for u in range(HIDDEN)]
    return [sigmoid(o[u]) * math.tanh(new_cell[u]) for u in range(HIDDEN)], new_cell


def cosine(u, v):
    product = sum(a * b for a, b in zip(u, v, strict=True))
    return product / math.sqrt(sum(a * a for a in u)) / math.sqrt(sum(b * b for b in v))


def head_parameters(raw, reads, writes, reach):
    """Split the interface vector into blocks of all heads, read heads first, and apply the activations."""
    heads, offsets, position = reads + writes, 2 * reach + 1, 0

    def block(count, size):
        nonlocal position
        values = [raw[position + n * size : position + (n + 1) * size] for n in range(count)]
        position += count * size
        return values

    control = {
        "k": [[math.tanh(z) for z in key] for key in block(heads, WIDTH)],
        "beta": [softplus(z) for (z,) in block(heads, 1)],
        "g": [sigmoid(z) for (z,) in block(heads, 1)],
        "s": [softmax(z) for z in block(heads, offsets)],
        "gamma": [1 + softplus(z) for (z,) in block(heads, 1)],
        "e": [[sigmoid(z) for z in erase] for erase in block(writes, WIDTH)],
        "a": [[math.tanh(z) for z in add] for add in block(writes, WIDTH)],
    }
    assert position == len(raw)
    return control


def address(control, head, memory, previous, reach):
    content = softmax([control["beta"][head] * cosine(control["k"][head], slot) for slot in memory])
    g = control["g"][head]
    blended = [g * content[i] + (1 - g) * previous[i] for i in range(SLOTS)]
    shifted = [
        sum(
            blended[j] * control["s"][head][d + reach]
            for j in range(SLOTS)
            for d in range(-reach, reach + 1)
            if (i - j - d) % SLOTS == 0
        )
        for i in range(SLOTS)
    ]
    sharpened = [w ** control["gamma"][head] for w in shifted]
    return [w / sum(sharpened) for w in sharpened]


def look(weights, memory):
    return [sum(weights[i] * memory[i][j] for i in range(SLOTS)) for j in range(WIDTH)]


def write(memory, writers):
    """Erase with all writers, then add with all writers; a writer is (weights, erase, add)."""
    memory = [list(slot) for slot in memory]
    for w, e, _ in writers:
        memory = [[memory[i][j] * (1 - w[i] * e[j]) for j in range(WIDTH)] for i in range(SLOTS)]
    for w, _, a in writers:
        memory = [[memory[i][j] + w[i] * a[j] for j in range(WIDTH)] for i in range(SLOTS)]
    return memory


class Heads(NamedTuple):
    reads: int
    writes: int
    reach: int
    read_first: bool


def all_heads_at_once(control, memory, before, heads):
    reads, writes, reach, read_first = heads
    now = [address(control, head, memory, before[head], reach) for head in range(reads + writes)]
    written = write(memory, [(now[reads + n], control["e"][n], control["a"][n]) for n in range(writes)])
    seen = memory if read_first else written
    return [look(now[head], seen) for head in range(reads)], now, written


def heads_in_turn(control, memory, before, heads):
    reads, writes, reach, read_first = heads
    now, seen = [None] * (reads + writes), []
    for turn in range(max(reads, writes)):
        for kind in ("read", "write") if read_first else ("write", "read"):
            if kind == "read" and turn < reads:
                now[turn] = address(control, turn, memory, before[turn], reach)
                seen.append(look(now[turn], memory))
            if kind == "write" and turn < writes:
                now[reads + turn] = address(control, reads + turn, memory, before[reads + turn], reach)
                memory = write(memory, [(now[reads + turn], control["e"][turn], control["a"][turn])])
    return seen, now, memory


def build(**options):
    cell = NTMCell(INPUT, OUTPUT, slots=SLOTS, width=WIDTH, controller_size=HIDDEN, initial_memory="random", **options)
    cell = cell.double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    return cell


HEADS = [(1, 1), (2, 2), (3, 1), (1, 3)]


@pytest.mark.parametrize(("reads", "writes"), HEADS)
@pytest.mark.parametrize("reach", [1, 3])
@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize("read_first", [True, False])
def test_a_step_agrees_with_the_paper(read_first, sequential, reach, reads, writes):
    cell = build(
        read_heads=reads, write_heads=writes, shift_range=reach, read_first=read_first, sequential_heads=sequential
    )
    xs = torch.randn(BATCH, 3, INPUT, dtype=F64)
    state = tree.detach(unroll(cell, xs[:, :2])[1])
    y, after = cell(xs[:, 2], state)

    own = {name.removeprefix("machine."): value.detach() for name, value in cell.named_parameters()}
    controller = {name.removeprefix("controller.cell."): value for name, value in own.items()}
    for b in range(BATCH):
        inputs = xs[b, 2].tolist() + state.reads[b].tolist()
        hidden, memory_cell = lstm(
            controller, inputs, state.controller.hidden[b].tolist(), state.controller.cell[b].tolist()
        )
        layer = "interface.head_parameters.linear."
        raw = linear(own[layer + "weight"], hidden, own[layer + "bias"])
        control = head_parameters(raw, reads, writes, reach)
        before = state.memory.read_weights[b].tolist() + state.memory.write_weights[b].tolist()
        act = heads_in_turn if sequential else all_heads_at_once
        seen, now, memory = act(
            control, state.memory.memory[b].tolist(), before, Heads(reads, writes, reach, read_first)
        )
        flat = [number for vector in seen for number in vector]
        answer = linear(own["to_output.weight"], hidden + flat, own["to_output.bias"])

        actual = {
            "output": y[b],
            "reads": after.reads[b],
            "memory": after.memory.memory[b],
            "read_weights": after.memory.read_weights[b],
            "write_weights": after.memory.write_weights[b],
            "hidden": after.controller.hidden[b],
            "cell": after.controller.cell[b],
        }
        expected = {
            "output": answer,
            "reads": flat,
            "memory": memory,
            "read_weights": now[:reads],
            "write_weights": now[reads:],
            "hidden": hidden,
            "cell": memory_cell,
        }
        for name, value in expected.items():
            torch.testing.assert_close(actual[name].detach(), torch.tensor(value, dtype=F64), rtol=1e-8, atol=1e-10)


def test_weights_come_from_the_memory_before_the_write(equal_up_to_rounding):
    one, other = build(), build()
    other.load_state_dict(one.state_dict())
    state = tree.detach(unroll(one, torch.randn(BATCH, 2, INPUT, dtype=F64))[1])
    x = torch.randn(BATCH, INPUT, dtype=F64)
    with torch.no_grad():
        layer = other.machine.interface.head_parameters.linear
        layer.weight[-2 * WIDTH :] = torch.randn_like(layer.weight[-2 * WIDTH :])  # another erase, another add
    after, written_otherwise = one(x, state)[1], other(x, state)[1]
    assert not torch.allclose(after.memory.memory, written_otherwise.memory.memory)
    equal_up_to_rounding(after.memory.read_weights, written_otherwise.memory.read_weights)
    equal_up_to_rounding(after.memory.write_weights, written_otherwise.memory.write_weights)


def test_control_returns_the_parameters_of_the_heads():
    cell = build(read_heads=2)
    state = tree.detach(unroll(cell, torch.randn(BATCH, 2, INPUT, dtype=F64))[1])
    x = torch.randn(BATCH, INPUT, dtype=F64)
    reads, memory = cell.machine.memory(cell.control(x, state), state.memory)
    _, after = cell(x, state)
    assert torch.equal(reads, after.reads)
    assert torch.equal(memory.memory, after.memory.memory)
