"""A Differentiable Neural Computer with one read head as in the papers of several memories, one scalar at a time."""

import math
from types import SimpleNamespace

import pytest

from memtape.ops.addressing import NORM_EPSILON
from memtape.ops.near_ties import NEAR_TIE


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def oneplus(z):
    return 1 + math.log(1 + math.exp(z))


def softmax(values):
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]


def times(rows, vector):
    return [sum(a * v for a, v in zip(row, vector, strict=True)) for row in rows]


def cosine(u, v):
    """With the epsilon of the library, which matters for slots of 1e-6."""
    lengths = math.sqrt(sum(a * a for a in u) + NORM_EPSILON) * math.sqrt(sum(b * b for b in v) + NORM_EPSILON)
    return sum(a * b for a, b in zip(u, v, strict=True)) / lengths


def least_used_first(usage):
    """Sort slots by usage; neighbours that differ by at most the tolerance of the library keep their order."""
    runs = []
    for slot in sorted(range(len(usage)), key=lambda slot: usage[slot]):
        if runs and usage[slot] - usage[runs[-1][-1]] <= NEAR_TIE:
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return [slot for run in runs for slot in sorted(run)]


class LSTM:
    def __init__(self, weights, place, hidden, cell):
        self.below, self.own, self.bias = (
            weights[f"{place}.{name}"] for name in ("from_input.weight", "from_hidden.weight", "from_input.bias")
        )
        self.hidden, self.cell = hidden, cell

    def step(self, x):
        size = len(self.hidden)
        z = [a + b + c for a, b, c in zip(times(self.below, x), times(self.own, self.hidden), self.bias, strict=True)]
        i, f, g, o = (z[k * size : (k + 1) * size] for k in range(4))
        self.cell = [sigmoid(f[u]) * self.cell[u] + sigmoid(i[u]) * math.tanh(g[u]) for u in range(size)]
        self.hidden = [sigmoid(o[u]) * math.tanh(self.cell[u]) for u in range(size)]
        return self.hidden


class Memory:
    """Contents M, usage u, precedence p, links L and write weights; read weights belong to a `Head`."""

    def __init__(self, slots, width):
        self.contents = [[1e-6] * width for _ in range(slots)]
        self.usage, self.precedence, self.wrote = [0.0] * slots, [0.0] * slots, [1e-6] * slots
        self.links = [[0.0] * slots for _ in range(slots)]

    def content(self, key, strength):
        return softmax([strength * cosine(slot, key) for slot in self.contents])

    def write(self, xi, head):
        content = self.content(xi["write_key"], oneplus(xi["write_strength"]))
        slots = range(len(self.usage))
        for i in slots:
            u, w = self.usage[i], self.wrote[i]
            self.usage[i] = (u + w - u * w) * (1 - sigmoid(xi["free"]) * head.weights[i])
        free, product = [0.0] * len(slots), 1.0
        for i in least_used_first(self.usage):
            free[i] = (1 - self.usage[i]) * product
            product *= self.usage[i]
        ga, gw = sigmoid(xi["allocation"]), sigmoid(xi["write"])
        w = self.wrote = [gw * (ga * free[i] + (1 - ga) * content[i]) for i in slots]
        self.links = [
            [0.0 if i == j else (1 - w[i] - w[j]) * self.links[i][j] + w[i] * self.precedence[j] for j in slots]
            for i in slots
        ]
        self.precedence = [(1 - sum(w)) * p + w[i] for i, p in enumerate(self.precedence)]
        self.contents = [
            [m * (1 - w[i] * sigmoid(e)) + w[i] * v for m, e, v in zip(row, xi["erase"], xi["add"], strict=True)]
            for i, row in enumerate(self.contents)
        ]


class Head:
    def __init__(self, slots):
        self.weights = [1e-6] * slots

    def move(self, xi, memory):
        slots, links, before = range(len(self.weights)), memory.links, self.weights
        backward = [sum(links[j][i] * before[j] for j in slots) for i in slots]
        forward = [sum(links[i][j] * before[j] for j in slots) for i in slots]
        content, pi = memory.content(xi["read_key"], oneplus(xi["read_strength"])), softmax(xi["modes"])
        self.weights = [pi[0] * backward[i] + pi[1] * content[i] + pi[2] * forward[i] for i in slots]

    def read(self, contents):
        return [sum(w * row[k] for w, row in zip(self.weights, contents, strict=True)) for k in range(len(contents[0]))]


def interface(rows, hidden, width):
    """Return the parts of an interface vector without a bias, in the order of the paper."""
    raw, parts = times(rows, hidden), {}
    for name, size in (
        ("read_key", width),
        ("read_strength", 1),
        ("write_key", width),
        ("write_strength", 1),
        ("erase", width),
        ("add", width),
        ("free", 1),
        ("allocation", 1),
        ("write", 1),
        ("modes", 3),
    ):
        parts[name] = raw[:size] if size > 1 else raw[0]
        raw = raw[size:]
    assert not raw
    return parts


@pytest.fixture
def scalar():
    """The parts of a machine, each computed one scalar at a time."""
    return SimpleNamespace(LSTM=LSTM, Memory=Memory, Head=Head, interface=interface, times=times, sigmoid=sigmoid)
