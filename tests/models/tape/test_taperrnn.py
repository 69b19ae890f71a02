"""The tape machine: its step by the letter, its jump lengths, a Turing machine in its weights, and a small task."""

import pytest
import torch
from torch.nn import functional

from memtape import TapeRNN, TapeRNNCell, tree, unroll

F64 = torch.float64
INPUT, OUTPUT, SLOTS, WIDTH, TAPES, HIDDEN, BATCH = 2, 3, 5, 2, 2, 4, 2
SMALL = {"slots": SLOTS, "width": WIDTH, "tapes": TAPES, "controller_size": HIDDEN, "write_size": 3}


def linear(matrix, vector, bias=None):
    sums = [sum(a * v for a, v in zip(row, vector, strict=True)) for row in matrix.tolist()]
    return sums if bias is None else [s + b for s, b in zip(sums, bias.tolist(), strict=True)]


def relu(vector):
    return [max(0.0, z) for z in vector]


def scalar_step(parameters, x, hidden, tapes, jump, reads_to_output):
    """Return the output, the hidden vector and the tapes after a step, computed with lists of floats."""
    below = x + [value for tape in tapes for value in tape[0]]
    inner = linear(parameters["controller.from_input.weight"], below, parameters["controller.from_input.bias"])
    own = linear(parameters["controller.from_hidden.weight"], hidden)
    hidden = relu([a + b for a, b in zip(inner, own, strict=True)])
    write = hidden
    for layer in ("write_layers.0", "write_layers.1"):
        weight, bias = (parameters[f"interface.{layer}.{part}"] for part in ("weight", "bias"))
        write = relu(linear(weight, write, bias))
    values = linear(parameters["interface.to_values.weight"], write, parameters["interface.to_values.bias"])
    logits = linear(parameters["interface.to_actions.weight"], hidden, parameters["interface.to_actions.bias"])
    after = []
    for k, tape in enumerate(tapes):
        powers = [torch.tensor(z).exp().item() for z in logits[5 * k : 5 * k + 5]]
        actions = [power / sum(powers) for power in powers]
        written = [values[WIDTH * k : WIDTH * (k + 1)], *tape[1:]]
        offsets = (0, 1, -1, jump, -jump)
        after.append(
            [
                [
                    sum(a * written[(i + d) % SLOTS][w] for a, d in zip(actions, offsets, strict=True))
                    for w in range(WIDTH)
                ]
                for i in range(SLOTS)
            ]
        )
    above = hidden + [value for tape in after for value in tape[0]] if reads_to_output else hidden
    return linear(parameters["to_output.weight"], above, parameters["to_output.bias"]), hidden, after


@pytest.mark.parametrize("reads_to_output", [False, True])
def test_a_sequence_by_the_letter(reads_to_output):
    cell = TapeRNNCell(INPUT, OUTPUT, jump_length=2, reads_to_output=reads_to_output, **SMALL).double()
    xs = torch.randn(BATCH, 4, INPUT, dtype=F64)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        ys, state, _ = unroll(cell, xs)
    parameters = {name.removeprefix("machine."): value for name, value in cell.state_dict().items()}
    for row in range(BATCH):
        hidden, tapes = [0.0] * HIDDEN, [[[0.0] * WIDTH for _ in range(SLOTS)] for _ in range(TAPES)]
        for t in range(4):
            y, hidden, tapes = scalar_step(parameters, xs[row, t].tolist(), hidden, tapes, 2, reads_to_output)
            torch.testing.assert_close(ys[row, t], torch.tensor(y, dtype=F64))
        torch.testing.assert_close(state.memory.memory[row], torch.tensor(tapes, dtype=F64))


def test_the_input_gives_each_row_its_jump_length():
    network = TapeRNN(INPUT + 1, OUTPUT, jump_from_input=True, **SMALL).double()
    with torch.no_grad():
        network.cell.machine.interface.to_actions.bias.normal_()
    xs = torch.randn(BATCH, 6, INPUT + 1, dtype=F64)
    jumps = [2, 3]
    for places in (slice(0, 1), slice(None)):  # in the first step only, or in every step
        xs[:, :, -1] = 0
        xs[:, places, -1] = torch.tensor(jumps, dtype=F64)[:, None]
        ys, state = network(xs)
        assert state.memory.jumps.length.tolist() == jumps
        for row, jump in enumerate(jumps):
            fixed = TapeRNN(INPUT, OUTPUT, jump_length=jump, **SMALL).double()
            fixed.load_state_dict(network.state_dict())
            torch.testing.assert_close(fixed(xs[row : row + 1, :, :-1])[0][0], ys[row])
            other = TapeRNN(INPUT, OUTPUT, jump_length=jump + 1, **SMALL).double()
            other.load_state_dict(network.state_dict())
            assert not torch.allclose(other(xs[row : row + 1, :, :-1])[0][0], ys[row])


def test_a_carried_state_keeps_the_jump_length():
    network = TapeRNN(INPUT + 1, OUTPUT, jump_from_input=True, **SMALL).double()
    xs = torch.randn(BATCH, 6, INPUT + 1, dtype=F64)
    xs[:, :, -1] = 0
    xs[:, 0, -1] = 3
    ys, last = network(xs)
    first, state = network(xs[:, :2])
    second, end = network(xs[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), ys)
    torch.testing.assert_close(tree.named_tensors(end), tree.named_tensors(last))
    views = network.trace(xs)
    assert views["read_weights"].shape == (6, TAPES, SLOTS)


def test_starts_and_lengths_of_rows_with_their_own_jumps():
    network = TapeRNN(INPUT + 1, OUTPUT, jump_from_input=True, **SMALL).double()
    xs = torch.randn(BATCH, 7, INPUT + 1, dtype=F64)
    xs[:, :, -1] = 0
    xs[0, 0, -1], xs[1, 0, -1], xs[1, 3, -1] = 2, 3, 4
    starts = torch.zeros(BATCH, 7, dtype=torch.bool)
    starts[1, 3] = True
    ys, state = network(xs, lengths=[4, 7], starts=starts)
    assert state.memory.jumps.length.tolist() == [2, 4]
    torch.testing.assert_close(ys[0, :4], network(xs[:1, :4])[0][0])
    torch.testing.assert_close(ys[1, :3], network(xs[1:, :3])[0][0])
    torch.testing.assert_close(ys[1, 3:], network(xs[1:, 3:])[0][0])


def test_symbols_have_no_jump_length():
    network = TapeRNN(4, 2, jump_from_input=True, **SMALL)
    with pytest.raises(ValueError, match="the inputs are symbols, but with jump_from_input the last entry of an input"):
        network(torch.zeros(1, 3, dtype=torch.long))
    assert TapeRNN(4, 2, **SMALL)(torch.zeros(1, 3, dtype=torch.long))[0].shape == (1, 3, 2)


def test_invalid_options_are_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="input_size is 1, but with jump_from_input the last entry"):
        TapeRNN(1, 2, jump_from_input=True)
    with pytest.raises(ValueError, match="jump_length is -1, but it must be at least 0"):
        TapeRNN(2, 2, jump_length=-1)
    with pytest.raises(ValueError, match="controller is 'magic', but it must be one of"):
        TapeRNN(2, 2, controller="magic")


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_weights_set_by_hand_run_the_busy_beaver_of_three_states(dtype):
    """Each hidden unit is a pair of a state and a symbol; the machine halts after 14 steps with 6 ones on the tape."""
    table = {("A", 0): (1, +1, "B"), ("A", 1): (1, +1, "H"), ("B", 0): (0, +1, "C"), ("B", 1): (1, +1, "B")}
    table |= {("C", 0): (1, -1, "C"), ("C", 1): (1, -1, "A"), ("H", 0): (0, 0, "H"), ("H", 1): (1, 0, "H")}
    units = list(table)
    network = TapeRNN(1, 1, slots=20, width=2, controller_size=len(units) + 1, write_layers=0, jump_length=0).to(dtype)
    controller, interface = network.cell.machine.controller, network.cell.machine.interface
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        controller.from_input.bias.fill_(-1)
        controller.from_input.weight[:, 0] = torch.tensor([0.0] * len(units) + [0.0])
        for n, (state, symbol) in enumerate(units):
            controller.from_input.weight[n, 1 + symbol] = 1  # the symbol under the head
            for m, before in enumerate(units):
                controller.from_hidden.weight[n, m] = float(table[before][2] == state)
            controller.from_hidden.weight[n, -1] = float(state == "A")
            written, move, _ = table[state, symbol]
            interface.to_values.weight[written, n] = 1
            interface.to_actions.weight[(0, 1, -1).index(move), n] = 1000
        state = network.init_state(1)
        state.memory.memory[..., 0] = 1  # blank cells hold the symbol 0
        state.controller.hidden[:, -1] = 1  # the unit of the start
        state.reads[:, 0] = 1
        _, last, trace = network(torch.zeros(1, 20, 1, dtype=dtype), state, collect=lambda state: state)
    lit = [units[n][0] for n in trace.controller.hidden[0, :, :-1].argmax(-1).tolist()]
    assert lit.index("H") == 14
    assert set(trace.controller.hidden.unique().tolist()) == {0.0, 1.0}
    assert last.memory.memory[0, 0, :, 1].sum() == 6
    assert set(last.memory.memory.unique().tolist()) == {0.0, 1.0}


def test_a_controller_without_a_state_learns_to_remember_the_last_input():
    torch.manual_seed(0)
    network = TapeRNN(2, 2, slots=4, width=2, controller="feedforward", controller_size=16, write_size=16)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(30):
        symbols = torch.randint(2, (16, 5))
        ys, _ = network(functional.one_hot(symbols, 2).float())
        loss = functional.cross_entropy(ys[:, 1:].flatten(0, 1), symbols[:, :-1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1  # without a memory at least ln 2 = 0.69
