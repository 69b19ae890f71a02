"""The moves of a tape against scalar loops and the numbers of examples computed by hand."""

import pytest
import torch

from memtape import ops

F64 = torch.float64
BATCH, TAPES, SLOTS, WIDTH = 2, 2, 5, 3


def tensor(values):
    return torch.tensor(values, dtype=F64)


def random_tape():
    tape = torch.randn(BATCH, TAPES, SLOTS, WIDTH, dtype=F64)
    return tape, torch.softmax(torch.randn(BATCH, TAPES, 5, dtype=F64), dim=-1)


def test_a_move_with_jumps_is_a_mixture_of_five_rotations():
    tape, actions = random_tape()
    lengths = [2, 8]
    moved = ops.move_with_jumps(tape, actions, torch.tensor(lengths))
    for b, k, i, w in torch.cartesian_prod(*map(torch.arange, tape.shape)).tolist():
        offsets = (0, 1, -1, lengths[b], -lengths[b])
        expected = sum(
            actions[b, k, n].item() * tape[b, k, (i + offset) % SLOTS, w].item() for n, offset in enumerate(offsets)
        )
        assert moved[b, k, i, w].item() == pytest.approx(expected, abs=1e-14)


def test_a_move_with_blanks_loses_a_cell_and_gets_a_blank_one():
    tape, actions = random_tape()
    moved = ops.move_with_blanks(tape, actions)
    for b, k, i, w in torch.cartesian_prod(*map(torch.arange, tape.shape)).tolist():
        circular = [tape[b, k, (i + offset) % SLOTS, w].item() for offset in (0, 1, -1)]
        blank = [tape[b, k, i + offset, w].item() if 0 <= i + offset < SLOTS else 0.0 for offset in (1, -1)]
        expected = sum(p * value for p, value in zip(actions[b, k].tolist(), circular + blank, strict=True))
        assert moved[b, k, i, w].item() == pytest.approx(expected, abs=1e-14)


def test_the_numbers_of_three_steps_with_jumps():
    tape, jump_length = torch.zeros(1, 1, 5, 1, dtype=F64), torch.tensor([2])
    steps = (
        ([0.5, 0.25, 0.125, 0.0625, 0.0625], 1, [0.5, 0.125, 0.0625, 0.0625, 0.25]),
        ([0.1, 0.2, 0.3, 0.4, 0.0], 2, [0.325, 0.65, 0.15625, 0.875, 0.49375]),
        ([0.0, 1.0, 0.0, 0.0, 0.0], 3, [0.65, 0.15625, 0.875, 0.49375, 3.0]),
    )
    for actions, value, expected in steps:
        written = ops.write_at_head(tape, tensor([[[value]]]))
        tape = ops.move_with_jumps(written, tensor([[actions]]), jump_length)
        torch.testing.assert_close(tape.flatten(), tensor(expected), rtol=0, atol=1e-15)


def test_the_numbers_of_three_steps_with_blanks():
    tape = torch.zeros(1, 1, 4, 1, dtype=F64)
    rotations = ("right", "left", "stay", "left, blank", "right, blank")  # the order of the paper
    places = [("stay", "right", "left", "right, blank", "left, blank").index(name) for name in rotations]
    steps = (
        ([0.5, 0.25, 0.125, 0.0625, 0.0625], 0.5, [0.5, 0.0, 0.0, 0.0]),
        ([0.1, 0.2, 0.3, 0.4, 0.0], 0.25, [0.4, 0.3, 0.0, 0.05]),
        ([0.2] * 5, 0.75, [0.96, 0.22, 0.14, 0.09]),
    )
    for actions, value, expected in steps:
        ours = torch.zeros(1, 1, 5, dtype=F64)
        ours[..., places] = tensor(actions)
        tape = ops.write_at_head(ops.move_with_blanks(tape, ours), tensor([[[value]]]), add=True)
        torch.testing.assert_close(tape.flatten(), tensor(expected), rtol=0, atol=1e-15)


def test_a_write_replaces_the_first_cell_or_adds_to_it():
    tape, _ = random_tape()
    values = torch.randn(BATCH, TAPES, WIDTH, dtype=F64)
    for add in (False, True):
        written = ops.write_at_head(tape, values, add=add)
        assert torch.equal(written[:, :, 0], tape[:, :, 0] + values if add else values)
        assert torch.equal(written[:, :, 1:], tape[:, :, 1:])


def test_gradients_of_moves_and_writes():
    tape, actions = (part.requires_grad_() for part in random_tape())
    values = torch.randn(BATCH, TAPES, WIDTH, dtype=F64, requires_grad=True)
    lengths = torch.tensor([2, 3])
    assert torch.autograd.gradcheck(lambda *given: ops.move_with_jumps(*given, lengths), (tape, actions))
    assert torch.autograd.gradcheck(ops.move_with_blanks, (tape, actions))
    assert torch.autograd.gradcheck(ops.write_at_head, (tape, values))


def test_a_tape_from_its_first_cell_on_is_the_mean_over_the_positions_of_the_head():
    tape, _ = random_tape()
    weights = torch.softmax(torch.randn(BATCH, TAPES, SLOTS, dtype=F64), dim=-1)
    fixed = ops.fixed_tape(tape, weights)
    for b, k, j, w in torch.cartesian_prod(*map(torch.arange, tape.shape)).tolist():
        expected = sum(weights[b, k, p].item() * tape[b, k, (j - p) % SLOTS, w].item() for p in range(SLOTS))
        assert fixed[b, k, j, w].item() == pytest.approx(expected, abs=1e-14)
