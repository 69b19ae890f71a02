"""Every form of the recurrent cells against a scalar implementation of its equations."""

import math

import numpy as np
import pytest
import torch

from memtape import unroll, use_backend
from memtape.cells import Delayed, ElmanCell, GateNormLSTMCell, GRUCell, JordanCell, LeakyCell, LSTMCell
from memtape.core.backends import backends

INPUT, HIDDEN, TIME = 2, 3, 5
EPSILON = 1e-5


@pytest.fixture(params=["reference", "cpu"], autouse=True)
def backend(request):
    """Single steps, and the fused kernels of the cells that have one."""
    absent = backends()[request.param]
    if absent:
        pytest.skip(absent)
    with use_backend(request.param):
        yield


def randomised(cell):
    cell = cell.double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return cell


def arrays(cell):
    return {name: value.detach().numpy() for name, value in cell.state_dict().items()}


def run(cell):
    """Run a cell over one sequence, and return the inputs and the outputs as numbers."""
    xs = torch.randn(1, TIME, cell.input_size, dtype=torch.float64)
    ys, _, _ = unroll(cell, xs)
    return xs[0].numpy(), ys[0].detach().numpy()


def product(matrix, vector):
    return [sum(row[j] * vector[j] for j in range(len(vector))) for row in matrix]


def normed(vector, scale, shift=None):
    mean = sum(vector) / len(vector)
    deviation = math.sqrt(sum((entry - mean) ** 2 for entry in vector) / len(vector) + EPSILON)
    shift = [0.0] * len(vector) if shift is None else shift
    return [(entry - mean) / deviation * a + b for entry, a, b in zip(vector, scale, shift, strict=True)]


def sigmoid(number):
    return 1 / (1 + math.exp(-number))


SQUASH = {"tanh": math.tanh, "sigmoid": sigmoid, "relu": lambda number: max(number, 0.0)}


def close(ys, expected):
    np.testing.assert_allclose(ys, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_elman(activation):
    cell = randomised(ElmanCell(INPUT, HIDDEN, activation=activation))
    w = arrays(cell)
    xs, ys = run(cell)
    hidden = [0.0] * HIDDEN
    for x, y in zip(xs, ys, strict=True):
        seen, own = product(w["from_input.weight"], x), product(w["from_hidden.weight"], hidden)
        hidden = [SQUASH[activation](seen[k] + own[k] + w["from_input.bias"][k]) for k in range(HIDDEN)]
        close(y, hidden)


@pytest.mark.parametrize("time_constants", ["fixed", "learned"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("recurrence", ["full", "linear"])
def test_leaky(time_constants, activation, recurrence):
    options = {"time_constants": time_constants, "longest": 9.0, "activation": activation, "recurrence": recurrence}
    cell = randomised(LeakyCell(INPUT, HIDDEN, **options))
    w = arrays(cell)
    shares = w["share"] if time_constants == "fixed" else [sigmoid(a) for a in w["share_logits"]]
    xs, ys = run(cell)
    hidden = [0.0] * HIDDEN
    for x, y in zip(xs, ys, strict=True):
        seen = product(w["from_input.weight"], x)
        own = product(w["from_hidden.weight"], hidden) if recurrence == "full" else [0.0] * HIDDEN
        fresh = [SQUASH[activation](seen[k] + own[k] + w["from_input.bias"][k]) for k in range(HIDDEN)]
        hidden = [shares[k] * hidden[k] + (1 - shares[k]) * fresh[k] for k in range(HIDDEN)]
        close(y, hidden)


@pytest.mark.parametrize("feedback", ["outputs", "softmax", "sigmoid", "argmax"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_jordan(feedback, activation):
    cell = randomised(JordanCell(INPUT, HIDDEN, 2, activation=activation, feedback=feedback))
    w = arrays(cell)
    xs, ys = run(cell)
    back = [0.0, 0.0]
    for x, y in zip(xs, ys, strict=True):
        seen, own = product(w["from_input.weight"], x), product(w["from_output.weight"], back)
        hidden = [SQUASH[activation](seen[k] + own[k] + w["from_input.bias"][k]) for k in range(HIDDEN)]
        output = [entry + w["to_output.bias"][k] for k, entry in enumerate(product(w["to_output.weight"], hidden))]
        close(y, output)
        powers = [math.exp(entry) for entry in output]
        back = {
            "outputs": output,
            "softmax": [power / sum(powers) for power in powers],
            "sigmoid": [sigmoid(entry) for entry in output],
            "argmax": [float(entry == max(output)) for entry in output],
        }[feedback]


@pytest.mark.parametrize("candidate", ["tanh", "sigmoid"])
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_lstm(candidate, peepholes, layer_norm):
    cell = randomised(LSTMCell(INPUT, HIDDEN, candidate=candidate, peepholes=peepholes, layer_norm=layer_norm))
    w = arrays(cell)
    holes = w.get("peepholes", np.zeros((3, HIDDEN)))
    xs, ys = run(cell)
    hidden, memory = [0.0] * HIDDEN, [0.0] * HIDDEN
    for x, y in zip(xs, ys, strict=True):
        seen, own = product(w["from_input.weight"], x), product(w["from_hidden.weight"], hidden)
        if layer_norm:
            seen, own = normed(seen, w["norms.input.weight"]), normed(own, w["norms.hidden.weight"])
        bias = w["norms.input.bias" if layer_norm else "from_input.bias"]
        total = [seen[k] + own[k] + bias[k] for k in range(4 * HIDDEN)]
        i, f, g, o = (total[block * HIDDEN : (block + 1) * HIDDEN] for block in range(4))
        i = [sigmoid(i[k] + holes[0][k] * memory[k]) for k in range(HIDDEN)]
        f = [sigmoid(f[k] + holes[1][k] * memory[k]) for k in range(HIDDEN)]
        memory = [f[k] * memory[k] + i[k] * SQUASH[candidate](g[k]) for k in range(HIDDEN)]
        o = [sigmoid(o[k] + holes[2][k] * memory[k]) for k in range(HIDDEN)]
        shown = normed(memory, w["norms.cell.weight"], w["norms.cell.bias"]) if layer_norm else memory
        hidden = [o[k] * math.tanh(shown[k]) for k in range(HIDDEN)]
        close(y, hidden)


def test_lstm_with_normalised_gates():
    cell = randomised(GateNormLSTMCell(INPUT, HIDDEN, forget_bias=0.7))
    w = arrays(cell)
    xs, ys = run(cell)
    hidden, memory = [0.0] * HIDDEN, [0.0] * HIDDEN
    for x, y in zip(xs, ys, strict=True):
        total = product(w["to_gates.weight"], [*x, *hidden])
        blocks = (total[block * HIDDEN : (block + 1) * HIDDEN] for block in range(4))
        i, f, g, o = (normed(block, w["scale"][k], w["shift"][k]) for k, block in enumerate(blocks))
        kept = [sigmoid(f[k] + 0.7) * memory[k] + sigmoid(i[k]) * math.tanh(g[k]) for k in range(HIDDEN)]
        memory = normed(kept, w["cell_norm.weight"], w["cell_norm.bias"])
        hidden = [sigmoid(o[k]) * math.tanh(memory[k]) for k in range(HIDDEN)]
        close(y, hidden)
    assert sum(part.numel() for part in cell.parameters()) == 4 * HIDDEN * (INPUT + HIDDEN) + 10 * HIDDEN


def biases(w, layer, norms):
    """Return the biases of a layer of a GRU, which are those of its layer normalisations if it has some."""
    if f"norms.{norms}_gates.bias" in w:
        return np.concatenate([w[f"norms.{norms}_gates.bias"], w[f"norms.{norms}_candidate.bias"]])
    return w.get(f"{layer}.bias", np.zeros(3 * HIDDEN))


@pytest.mark.parametrize("variant", ["reset_after", "reset_before"])
@pytest.mark.parametrize("candidate", ["tanh", "sigmoid"])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_gru(variant, candidate, layer_norm):
    cell = randomised(GRUCell(INPUT, HIDDEN, variant=variant, candidate=candidate, layer_norm=layer_norm))
    w = arrays(cell)
    gates, rest = slice(0, 2 * HIDDEN), slice(2 * HIDDEN, None)
    bias, own_bias = biases(w, "from_input", "input"), biases(w, "from_hidden", "hidden")

    def norm(name, vector):
        return normed(vector, w[f"norms.{name}.weight"]) if layer_norm else vector

    xs, ys = run(cell)
    hidden = [0.0] * HIDDEN
    for x, y in zip(xs, ys, strict=True):
        seen = norm("input_gates", product(w["from_input.weight"][gates], x))
        own = norm("hidden_gates", product(w["from_hidden.weight"][gates], hidden))
        opened = [sigmoid(seen[k] + bias[k] + own[k] + own_bias[k]) for k in range(2 * HIDDEN)]
        reset, update = opened[:HIDDEN], opened[HIDDEN:]
        seen = norm("input_candidate", product(w["from_input.weight"][rest], x))
        seen = [seen[k] + bias[rest][k] for k in range(HIDDEN)]
        if variant == "reset_after":
            own = norm("hidden_candidate", product(w["from_hidden.weight"][rest], hidden))
            own = [reset[k] * (own[k] + own_bias[rest][k]) for k in range(HIDDEN)]
        else:
            view = [reset[k] * hidden[k] for k in range(HIDDEN)]
            own = norm("hidden_candidate", product(w["from_hidden.weight"][rest], view))
        new = [SQUASH[candidate](seen[k] + own[k]) for k in range(HIDDEN)]
        hidden = [(1 - update[k]) * new[k] + update[k] * hidden[k] for k in range(HIDDEN)]
        close(y, hidden)


def test_the_gru_of_the_book():
    """Equations 10.45 to 10.47, whose gates u and r of a step depend on the inputs and the units of that step."""
    cell = randomised(Delayed(GRUCell(INPUT, HIDDEN, variant="reset_before", candidate="sigmoid")))
    w = arrays(cell.cell)
    u, w_, b = w["from_input.weight"], w["from_hidden.weight"], w["from_input.bias"]

    def gates(x, h):
        seen, own = product(u[: 2 * HIDDEN], x), product(w_[: 2 * HIDDEN], h)
        opened = [sigmoid(b[k] + seen[k] + own[k]) for k in range(2 * HIDDEN)]
        return opened[HIDDEN:], opened[:HIDDEN]

    xs, ys = run(cell)
    x, h = [0.0] * INPUT, [0.0] * HIDDEN
    updates, resets = gates(x, h)
    for now, y in zip(xs, ys, strict=True):
        seen = product(u[2 * HIDDEN :], x)
        own = product(w_[2 * HIDDEN :], [resets[j] * h[j] for j in range(HIDDEN)])
        h = [
            updates[k] * h[k] + (1 - updates[k]) * sigmoid(b[2 * HIDDEN + k] + seen[k] + own[k]) for k in range(HIDDEN)
        ]
        close(y, h)
        x = now
        updates, resets = gates(x, h)
