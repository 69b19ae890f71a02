"""Several steps of a Differentiable Neural Computer against a scalar implementation of the paper."""

import math

import pytest
import torch

from memtape import DNCCell, tree, unroll

F64 = torch.float64
INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH, TIME = 2, 3, 5, 4, 3, 2, 5


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def oneplus(z):
    return 1 + math.log(1 + math.exp(z))


def softmax(values):
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]


def linear(parameters, name, vector, bias=True):
    sums = [sum(a * v for a, v in zip(row, vector, strict=True)) for row in parameters[f"{name}.weight"].tolist()]
    return [s + b for s, b in zip(sums, parameters[f"{name}.bias"].tolist(), strict=True)] if bias else sums


def lstm(parameters, place, x, hidden, cell):
    from_x = linear(parameters, f"{place}from_input", x)
    from_h = linear(parameters, f"{place}from_hidden", hidden, bias=False)
    z = [a + b for a, b in zip(from_x, from_h, strict=True)]
    i, f, g, o = (z[k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
    cell = [sigmoid(f[u]) * cell[u] + sigmoid(i[u]) * math.tanh(g[u]) for u in range(HIDDEN)]
    return [sigmoid(o[u]) * math.tanh(cell[u]) for u in range(HIDDEN)], cell


def cosine(u, v):
    lengths = math.sqrt(sum(a * a for a in u)) * math.sqrt(sum(b * b for b in v))
    return sum(a * b for a, b in zip(u, v, strict=True)) / lengths if lengths else 0.0


def content(memory, key, strength):
    return softmax([strength * cosine(key, slot) for slot in memory])


def cut(numbers, *sizes):
    """Split the interface vector into its parts, in the order of the paper."""
    parts = []
    for size in sizes:
        parts.append(numbers[:size])
        numbers = numbers[size:]
    assert not numbers
    return parts


class Machine:
    """One row of a batch, with one write head."""

    def __init__(self, parameters, reads, layers):
        self.parameters, self.reads, self.layers = parameters, reads, layers
        self.hidden, self.cell = [[[0.0] * HIDDEN for _ in range(layers)] for _ in "hc"]
        self.seen = [[0.0] * WIDTH for _ in range(reads)]
        self.memory = [[0.0] * WIDTH for _ in range(SLOTS)]
        self.links = [[0.0] * SLOTS for _ in range(SLOTS)]
        self.usage, self.precedence, self.wrote = [0.0] * SLOTS, [0.0] * SLOTS, [0.0] * SLOTS
        self.read_at = [[0.0] * SLOTS for _ in range(reads)]

    def control(self, x):
        chi, below, shown = [*x, *(number for seen in self.seen for number in seen)], [], []
        for layer in range(self.layers):
            place = "controller." if self.layers == 1 else f"controller.layers.{layer}."
            self.hidden[layer], self.cell[layer] = lstm(
                self.parameters, place, chi + below, self.hidden[layer], self.cell[layer]
            )
            below = self.hidden[layer]
            shown += below
        return shown

    def step(self, x):
        hidden, r = self.control(x), self.reads
        raw = linear(self.parameters, "interface.head_parameters.linear", hidden)
        assert len(raw) == r * WIDTH + 3 * WIDTH + 5 * r + 3
        read_keys, read_strengths, write_key, write_strength, erase, v, f, ga, gw, modes = cut(
            raw, r * WIDTH, r, WIDTH, 1, WIDTH, WIDTH, r, 1, 1, 3 * r
        )
        self.write(write_key, oneplus(write_strength[0]), erase, v, f, sigmoid(ga[0]), sigmoid(gw[0]))
        self.seen = []
        for h in range(r):
            backward = [sum(self.links[j][i] * self.read_at[h][j] for j in range(SLOTS)) for i in range(SLOTS)]
            forward = [sum(self.links[i][j] * self.read_at[h][j] for j in range(SLOTS)) for i in range(SLOTS)]
            c = content(self.memory, read_keys[h * WIDTH : (h + 1) * WIDTH], oneplus(read_strengths[h]))
            pi = softmax(modes[3 * h : 3 * h + 3])
            self.read_at[h] = [pi[0] * backward[i] + pi[1] * c[i] + pi[2] * forward[i] for i in range(SLOTS)]
            self.seen.append([sum(self.read_at[h][i] * self.memory[i][w] for i in range(SLOTS)) for w in range(WIDTH)])
        return linear(self.parameters, "to_output", hidden + [number for seen in self.seen for number in seen])

    def write(self, key, strength, erase, v, f, ga, gw):
        for i in range(SLOTS):
            u, w = self.usage[i], self.wrote[i]
            retention = math.prod(1 - sigmoid(f[h]) * self.read_at[h][i] for h in range(self.reads))
            self.usage[i] = (u + w - u * w) * retention
        free, product = [0.0] * SLOTS, 1.0
        for i in sorted(range(SLOTS), key=lambda slot: self.usage[slot]):
            free[i] = (1 - self.usage[i]) * product
            product *= self.usage[i]
        c = content(self.memory, key, strength)
        w = self.wrote = [gw * (ga * free[i] + (1 - ga) * c[i]) for i in range(SLOTS)]
        self.memory = [
            [self.memory[i][k] * (1 - w[i] * sigmoid(erase[k])) + w[i] * v[k] for k in range(WIDTH)]
            for i in range(SLOTS)
        ]
        self.links = [
            [0.0 if i == j else (1 - w[i] - w[j]) * self.links[i][j] + w[i] * self.precedence[j] for j in range(SLOTS)]
            for i in range(SLOTS)
        ]
        self.precedence = [(1 - sum(w)) * p + w[i] for i, p in enumerate(self.precedence)]


@pytest.mark.parametrize(("reads", "layers"), [(1, 1), (2, 1), (1, 3)])
def test_several_steps(reads, layers):
    cell = DNCCell(
        INPUT,
        OUTPUT,
        slots=SLOTS,
        width=WIDTH,
        read_heads=reads,
        controller_size=HIDDEN,
        controller_layers=layers,
        clip=None,
    ).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(0.6 * torch.randn_like(parameter))
    parameters = {name.removeprefix("machine."): value for name, value in cell.named_parameters()}
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    ys, last, _ = unroll(cell, xs)
    for row in range(BATCH):
        machine = Machine(parameters, reads, layers)
        expected = [machine.step(x) for x in xs[row].tolist()]
        torch.testing.assert_close(ys[row], torch.tensor(expected, dtype=F64), rtol=1e-8, atol=1e-10)
        state = tree.rows(last.memory, row, row + 1)
        for actual, letter in (
            (state.memory, machine.memory),
            (state.usage, machine.usage),
            (state.links.links[:, 0], machine.links),
            (state.links.precedence[:, 0], machine.precedence),
            (state.read_weights, machine.read_at),
        ):
            torch.testing.assert_close(actual[0], torch.tensor(letter, dtype=F64), rtol=1e-8, atol=1e-10)
