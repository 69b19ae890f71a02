"""The Baby-NTM: its step by the letter, its options, and a small task."""

import math

import pytest
import torch
from torch.nn import functional

from memtape import BabyNTM, BabyNTMCell, unroll

F64 = torch.float64
INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH = 2, 3, 5, 2, 4, 2
SMALL = {"slots": SLOTS, "width": WIDTH, "controller_size": HIDDEN}


def linear(matrix, vector, bias=None):
    sums = [sum(a * v for a, v in zip(row, vector, strict=True)) for row in matrix.tolist()]
    return sums if bias is None else [s + b for s, b in zip(sums, bias.tolist(), strict=True)]


def scalar_step(parameters, x, hidden, tape, reads_to_output):
    """Return the output, the hidden vector and the tape after a step, computed with lists of floats."""
    inner = linear(parameters["controller.from_input.weight"], x + tape[0], parameters["controller.from_input.bias"])
    own = linear(parameters["controller.from_hidden.weight"], hidden)
    hidden = [math.tanh(a + b) for a, b in zip(inner, own, strict=True)]
    raw = linear(parameters["interface.to_values.weight"], hidden, parameters["interface.to_values.bias"])
    values = [1 / (1 + math.exp(-z)) for z in raw]
    logits = linear(parameters["interface.to_actions.weight"], hidden, parameters["interface.to_actions.bias"])
    powers = [math.exp(z) for z in logits]
    stay, right, left, right_blank, left_blank = [power / sum(powers) for power in powers]
    zero = [0.0] * WIDTH
    moved = [
        [
            stay * tape[i][w]
            + right * tape[(i + 1) % SLOTS][w]
            + left * tape[i - 1][w]
            + right_blank * (tape[i + 1] if i + 1 < SLOTS else zero)[w]
            + left_blank * (tape[i - 1] if i else zero)[w]
            for w in range(WIDTH)
        ]
        for i in range(SLOTS)
    ]
    moved[0] = [a + v for a, v in zip(moved[0], values, strict=True)]
    above = hidden + moved[0] if reads_to_output else hidden
    return linear(parameters["to_output.weight"], above, parameters["to_output.bias"]), hidden, moved


@pytest.mark.parametrize("reads_to_output", [False, True])
def test_a_sequence_by_the_letter(reads_to_output):
    cell = BabyNTMCell(INPUT, OUTPUT, reads_to_output=reads_to_output, **SMALL).double()
    xs = torch.randn(BATCH, 4, INPUT, dtype=F64)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        ys, state, _ = unroll(cell, xs)
    parameters = {name.removeprefix("machine."): value for name, value in cell.state_dict().items()}
    for row in range(BATCH):
        hidden, tape = [0.0] * HIDDEN, [[0.0] * WIDTH for _ in range(SLOTS)]
        for t in range(4):
            y, hidden, tape = scalar_step(parameters, xs[row, t].tolist(), hidden, tape, reads_to_output)
            torch.testing.assert_close(ys[row, t], torch.tensor(y, dtype=F64))
        torch.testing.assert_close(state.memory.memory[row, 0], torch.tensor(tape, dtype=F64))


def test_options_of_the_actions_are_those_of_the_interface():
    plain, cold = (BabyNTM(INPUT, OUTPUT, temperature=temperature, **SMALL) for temperature in (1.0, 0.01))
    cold.load_state_dict(plain.state_dict())
    xs = torch.randn(BATCH, 5, INPUT)
    entropies = [
        torch.special.entr(torch.from_numpy(network.trace(xs)["actions"])).sum(-1).mean() for network in (plain, cold)
    ]
    assert entropies[1] < 0.5 * entropies[0]
    noisy = BabyNTM(INPUT, OUTPUT, gumbel=True, **SMALL)
    assert not torch.equal(noisy(xs)[0], noisy(xs)[0])
    assert torch.equal(noisy.eval()(xs)[0], noisy(xs)[0])


def test_invalid_options_are_refused(shapes_unchecked):
    with pytest.raises(ValueError, match=r"temperature is 0\.0, but it must be finite and above 0"):
        BabyNTM(2, 2, temperature=0.0)
    with pytest.raises(ValueError, match="controller is 'magic', but it must be one of"):
        BabyNTM(2, 2, controller="magic")


def test_a_controller_without_a_state_learns_to_remember_the_last_input():
    torch.manual_seed(0)
    network = BabyNTM(2, 2, slots=4, width=4, controller="feedforward", controller_size=16)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(40):
        symbols = torch.randint(2, (16, 5))
        ys, _ = network(functional.one_hot(symbols, 2).float())
        loss = functional.cross_entropy(ys[:, 1:].flatten(0, 1), symbols[:, :-1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1  # without a memory at least ln 2 = 0.69
