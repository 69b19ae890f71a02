"""Several steps of a Differentiable Neural Computer with several write heads against a scalar implementation of the
paper.

Freed slots are erased, the initial memory is learned, and the initial slots are different, or equal up to rounding.
"""

import math

import pytest
import torch

from memtape import DNCCell, unroll, use_backend
from memtape.core.backends import backends
from memtape.ops.near_ties import NEAR_TIE

F64 = torch.float64
INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, READS, WRITES, BATCH, TIME = 2, 3, 7, 4, 5, 2, 3, 3, 10

ROUNDING = {"rtol": 1e-9, "atol": 1e-9}
"""Tolerance for sums in another order over ten steps of a recurrent network in float64."""


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def oneplus(z):
    return 1 + math.log(1 + math.exp(z))


def softmax(values):
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]


def dot(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def by_content(memory, key, strength):
    lengths = [math.sqrt(dot(slot, slot)) * math.sqrt(dot(key, key)) for slot in memory]
    return softmax([strength * dot(key, slot) / length for slot, length in zip(memory, lengths, strict=True)])


def free(usage):
    """Allocate the least used slot first, and the first of equally used slots."""
    runs = []
    for slot in sorted(range(SLOTS), key=lambda slot: usage[slot]):
        if runs and usage[slot] - usage[runs[-1][-1]] <= NEAR_TIE:
            runs[-1].append(slot)
        else:
            runs.append([slot])
    found, product = [0.0] * SLOTS, 1.0
    for slot in (slot for run in runs for slot in sorted(run)):
        found[slot] = (1 - usage[slot]) * product
        product *= usage[slot]
    return found


class Machine:
    """One row of a batch."""

    def __init__(self, parameters):
        self.parameters = {name: value.tolist() for name, value in parameters.items()}
        self.hidden, self.cell, self.seen = [0.0] * HIDDEN, [0.0] * HIDDEN, [[0.0] * WIDTH for _ in range(READS)]
        self.memory = [[math.tanh(z) for z in row] for row in self.parameters["memory.initial_slots.bias"]]
        self.usage = [0.0] * SLOTS
        self.wrote, self.precedence = ([[0.0] * SLOTS for _ in range(WRITES)] for _ in range(2))
        self.read_at = [[0.0] * SLOTS for _ in range(READS)]
        self.links = [[[0.0] * SLOTS for _ in range(SLOTS)] for _ in range(WRITES)]

    def linear(self, name, vector, bias=True):
        sums = [dot(row, vector) for row in self.parameters[f"{name}.weight"]]
        return [s + b for s, b in zip(sums, self.parameters[f"{name}.bias"], strict=True)] if bias else sums

    def control(self, x):
        into = self.linear("controller.from_input", [*x, *(number for seen in self.seen for number in seen)])
        back = self.linear("controller.from_hidden", self.hidden, bias=False)
        i, f, g, o = ([a + b for a, b in zip(into, back, strict=True)][k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
        self.cell = [sigmoid(f[u]) * self.cell[u] + sigmoid(i[u]) * math.tanh(g[u]) for u in range(HIDDEN)]
        self.hidden = [sigmoid(o[u]) * math.tanh(self.cell[u]) for u in range(HIDDEN)]
        raw = iter(self.linear("interface.head_parameters.linear", self.hidden))
        parts = [
            [[next(raw) for _ in range(size)] for _ in range(heads)]
            for heads, size in (
                (READS, WIDTH),
                (READS, 1),
                (WRITES, WIDTH),
                (WRITES, 1),
                (WRITES, WIDTH),
                (WRITES, WIDTH),
                (READS, 1),
                (WRITES, 1),
                (WRITES, 1),
                (READS, 1 + 2 * WRITES),
            )
        ]
        assert next(raw, None) is None
        return parts

    def step(self, x):
        read_keys, read_strengths, keys, strengths, erase, add, freeing, allocating, writing, modes = self.control(x)
        retained = [
            math.prod(1 - sigmoid(freeing[h][0]) * self.read_at[h][i] for h in range(READS)) for i in range(SLOTS)
        ]
        for i in range(SLOTS):
            unused = (1 - self.usage[i]) * math.prod(1 - self.wrote[h][i] for h in range(WRITES))
            self.usage[i] = (1 - unused) * retained[i]
        taken = list(self.usage)
        for h in range(WRITES):
            found, content = free(taken), by_content(self.memory, keys[h], oneplus(strengths[h][0]))
            a, w = sigmoid(allocating[h][0]), sigmoid(writing[h][0])
            self.wrote[h] = [w * (a * found[i] + (1 - a) * content[i]) for i in range(SLOTS)]
            taken = [taken[i] + (1 - taken[i]) * a * w * found[i] for i in range(SLOTS)]
        for i in range(SLOTS):
            for k in range(WIDTH):
                kept = math.prod(1 - self.wrote[h][i] * sigmoid(erase[h][k]) for h in range(WRITES))
                added = sum(self.wrote[h][i] * add[h][k] for h in range(WRITES))
                self.memory[i][k] = self.memory[i][k] * retained[i] * kept + added
        for h, w in enumerate(self.wrote):
            for i in range(SLOTS):
                for j in range(SLOTS):
                    linked = (1 - w[i] - w[j]) * self.links[h][i][j] + w[i] * self.precedence[h][j]
                    self.links[h][i][j] = linked if i != j else 0.0
            self.precedence[h] = [(1 - sum(w)) * p + w[i] for i, p in enumerate(self.precedence[h])]
        for h in range(READS):
            before = self.read_at[h]
            backward = [[dot([row[i] for row in links], before) for i in range(SLOTS)] for links in self.links]
            forward = [[dot(row, before) for row in links] for links in self.links]
            content = by_content(self.memory, read_keys[h], oneplus(read_strengths[h][0]))
            pi = softmax(modes[h])
            places = [*backward, content, *forward]
            self.read_at[h] = [dot(pi, [place[i] for place in places]) for i in range(SLOTS)]
            self.seen[h] = [dot(self.read_at[h], [row[k] for row in self.memory]) for k in range(WIDTH)]
        return self.linear("to_output", self.hidden + [number for seen in self.seen for number in seen])


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("equal_slots", [False, True])
def test_several_write_heads_that_free_and_erase_over_a_learned_memory(backend, equal_slots):
    if backends()[backend]:
        pytest.skip(backends()[backend])
    cell = DNCCell(
        INPUT,
        OUTPUT,
        slots=SLOTS,
        width=WIDTH,
        read_heads=READS,
        write_heads=WRITES,
        controller_size=HIDDEN,
        deallocate=True,
        initial_memory="learned",
        clip=None,
    ).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(0.6 * torch.randn_like(parameter))
        slots = dict(cell.named_parameters())["machine.memory.initial_slots.bias"]
        if equal_slots:
            slots.copy_(slots[:1] + 1e-12 * torch.randn_like(slots))
    parameters = {name.removeprefix("machine."): value for name, value in cell.named_parameters()}
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    with use_backend(backend):
        ys, _, _ = unroll(cell, xs)
    for row in range(BATCH):
        machine = Machine(parameters)
        expected = torch.tensor([machine.step(x) for x in xs[row].tolist()], dtype=F64)
        torch.testing.assert_close(ys[row], expected, **ROUNDING)
