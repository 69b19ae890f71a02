"""The memory with tapes: the order of write and move, the positions of its heads, its views and its interface."""

import dataclasses
import random

import pytest
import torch

from memtape import ops
from memtape.memory import JumpState, TapeControl, TapeInterface, TapeMemory
from memtape.memory.tape import ACTIONS

F64 = torch.float64
BATCH, TAPES, SLOTS, WIDTH, HIDDEN = 2, 2, 6, 3, 4
MOVES = tuple(ACTIONS)


def memory_after_steps(moves):
    """Return a memory, its state after a few steps, and a control."""
    memory = TapeMemory(SLOTS, WIDTH, tapes=TAPES, moves=moves, jump_length=2)
    interface = TapeInterface(HIDDEN, WIDTH, tapes=TAPES).double()
    state = memory.init_state(BATCH, dtype=F64)
    for _ in range(3):
        _, state = memory(interface(torch.randn(BATCH, HIDDEN, dtype=F64)), state)
    return memory, state, interface(torch.randn(BATCH, HIDDEN, dtype=F64))


def test_with_jumps_the_head_writes_and_then_moves():
    memory, state, control = memory_after_steps("jumps")
    reads, after = memory(control, state)
    written = ops.write_at_head(state.memory, control.values)
    expected = ops.move_with_jumps(written, control.actions, torch.tensor([2, 2]))
    assert torch.equal(after.memory, expected)
    assert torch.equal(reads, expected[:, :, 0].flatten(1))
    assert torch.equal(memory.address(control, memory.write(control, state)).memory, expected)


def test_with_blanks_the_head_moves_and_then_the_value_is_added():
    memory, state, control = memory_after_steps("blanks")
    reads, after = memory(control, state)
    expected = ops.write_at_head(ops.move_with_blanks(state.memory, control.actions), control.values, add=True)
    assert torch.equal(after.memory, expected)
    assert torch.equal(reads, expected[:, :, 0].flatten(1))
    assert torch.equal(memory.write(control, memory.address(control, state)).memory, expected)


@pytest.mark.parametrize("moves", MOVES)
def test_a_head_that_chooses_one_action_per_step_is_that_of_a_list(moves):
    memory, draw = TapeMemory(SLOTS, 1, tapes=2, moves=moves, jump_length=4), random.Random(0)
    state = memory.init_state(1, dtype=F64)
    tapes, heads = [[0] * SLOTS for _ in range(2)], [0, 0]
    for value in range(1, 40):
        actions = torch.zeros(1, 2, 5, dtype=F64)
        for k in range(2):
            action = draw.randrange(5)
            actions[0, k, action] = 1
            left = heads[k]
            if moves == "jumps":
                tapes[k][left] = value + 100 * k
                heads[k] = (left + (0, 1, -1, 4, -4)[action]) % SLOTS
            else:
                heads[k] = (left + (0, 1, -1, 1, -1)[action]) % SLOTS
                if action == 3:
                    tapes[k][left] = 0
                elif action == 4:
                    tapes[k][heads[k]] = 0
                tapes[k][heads[k]] += value + 100 * k
        values = torch.tensor([[[value], [value + 100]]], dtype=F64)
        reads, state = memory(TapeControl(values=values, actions=actions), state)
        assert state.head_weights.argmax(-1).flatten().tolist() == heads
        assert torch.equal(state.head_weights.sum(-1), torch.ones(1, 2, dtype=F64))
        assert ops.fixed_tape(state.memory, state.head_weights)[0, :, :, 0].tolist() == tapes
        assert reads[0].tolist() == [tapes[k][heads[k]] for k in range(2)]


@pytest.mark.parametrize("moves", MOVES)
def test_the_positions_of_a_head_are_a_distribution(moves):
    _, state, _ = memory_after_steps(moves)
    assert (state.head_weights >= 0).all()
    torch.testing.assert_close(state.head_weights.sum(-1), torch.ones(BATCH, TAPES, dtype=F64))
    assert state.head_weights.max() < 0.9


def test_rows_have_their_own_jump_length():
    _, state, control = memory_after_steps("jumps")
    memory = TapeMemory(SLOTS, WIDTH, tapes=TAPES, jump_length=0, varying_jumps=True)
    assert not memory.init_state(BATCH).jumps.length.any()
    state = dataclasses.replace(state, jumps=JumpState(length=torch.tensor([1.0, 3.0], dtype=F64)))
    _, after = memory(control, state)
    for row, length in enumerate((1, 3)):
        alone = TapeMemory(SLOTS, WIDTH, tapes=TAPES, jump_length=length)
        only = dataclasses.replace(
            alone.init_state(1, dtype=F64),
            memory=state.memory[row : row + 1],
            head_weights=state.head_weights[row : row + 1],
        )
        of_row = TapeControl(values=control.values[row : row + 1], actions=control.actions[row : row + 1])
        torch.testing.assert_close(alone(of_row, only)[1].memory[0], after.memory[row])


@pytest.mark.parametrize("moves", MOVES)
def test_views_show_the_step_and_are_in_their_range(moves):
    memory, state, control = memory_after_steps(moves)
    reads, after = memory(control, state)
    views = {view.name: view for view in memory.views(control, state)}
    assert list(views) == ["writes", "reads", "actions", "write_weights", "read_weights", "norms", "contents"]
    for view in views.values():
        least, most = view.range
        assert view.values.shape[:2] == (BATCH, TAPES)
        assert view.values.min() >= least
        assert view.values.max() <= most + 1e-12
    fixed = ops.fixed_tape(after.memory, after.head_weights)
    assert torch.equal(views["reads"].values.flatten(1), reads)
    assert torch.equal(views["contents"].values, fixed)
    assert torch.equal(views["norms"].values, fixed.norm(dim=-1))
    assert torch.equal(views["read_weights"].values, after.head_weights)
    writing = after if moves == "blanks" else state
    assert torch.equal(views["write_weights"].values, writing.head_weights)
    assert views["actions"].entries == ACTIONS[moves]


def linear(layer, vector):
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [sum(w * v for w, v in zip(row, vector, strict=True)) + bias for row, bias in rows]


@pytest.mark.parametrize(("values", "write_layers"), [("linear", 2), ("sigmoid", 0), ("tanh", 1)])
def test_the_interface_by_the_letter(values, write_layers):
    options = {"values": values, "write_layers": write_layers, "write_size": 5, "temperature": 0.5}
    interface = TapeInterface(HIDDEN, WIDTH, tapes=TAPES, **options).double()
    hidden = torch.randn(1, HIDDEN, dtype=F64)
    control = interface(hidden)
    inner = hidden[0].tolist()
    for layer in interface.write_layers:
        inner = [max(0.0, z) for z in linear(layer, inner)]
    phi = {"linear": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh}[values]
    expected = phi(torch.tensor(linear(interface.to_values, inner), dtype=F64)).view(TAPES, WIDTH)
    torch.testing.assert_close(control.values[0], expected)
    logits = torch.tensor(linear(interface.to_actions, hidden[0].tolist()), dtype=F64).view(TAPES, 5)
    powers = torch.exp(logits / 0.5)
    torch.testing.assert_close(control.actions[0], powers / powers.sum(-1, keepdim=True))


def test_gumbel_noise_draws_the_most_likely_action_as_often_as_its_probability_in_training_only():
    interface = TapeInterface(1, 1, temperature=1e-3, gumbel=True).double()
    logits = torch.tensor([1.0, 0.0, -1.0, 0.5, 2.0], dtype=F64)
    with torch.no_grad():
        interface.to_actions.weight.zero_()
        interface.to_actions.bias.copy_(logits)
    hidden = torch.zeros(4000, 1, dtype=F64)
    torch.manual_seed(0)
    drawn = interface(hidden).actions[:, 0]
    torch.testing.assert_close(drawn.mean(0), torch.softmax(logits, dim=-1), rtol=0, atol=0.03)
    quiet = interface.eval()(hidden).actions[:, 0]
    assert torch.equal(quiet, torch.tensor([0.0, 0, 0, 0, 1], dtype=F64).expand(4000, -1))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TapeMemory(0, 1), "slots of TapeMemory is 0, but it must be at least 1"),
        (lambda: TapeMemory(4, 1, jump_length=-1), "jump_length is -1, but it must be at least 0"),
        (lambda: TapeMemory(4, 1, moves="far"), "moves is 'far', but it must be one of 'jumps', 'blanks'"),
        (lambda: TapeInterface(2, 1, values="relu"), "values is 'relu', but it must be one of 'linear'"),
        (lambda: TapeInterface(2, 1, temperature=0.0), "temperature is 0.0, but it must be finite and above 0"),
        (lambda: TapeInterface(2, 1, write_layers=-1), "write_layers is -1, but it must be at least 0"),
        (lambda: TapeInterface(2, 1, write_size=0), "write_size of TapeInterface is 0, but it must be at least 1"),
    ],
)
def test_invalid_options_are_refused(build, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        build()
