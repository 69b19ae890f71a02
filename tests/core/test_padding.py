"""Padding: the steps within each row's length, and cells without a fused kernel beside cells with one."""

import pytest
import torch

from memtape import tree, unroll
from memtape.cells import GRUCell
from memtape.core import padding
from memtape.core.step_by_step import StepByStep, fused_or_steps

XS = torch.arange(1.0, 13).reshape(3, 4, 1)
LENGTHS = torch.tensor([2, 0, 4])


def rows(values):
    return [[int(value) for value in row] for row in values.squeeze(-1)]


def test_rows_end_at_their_lengths():
    assert padding.alive(XS, LENGTHS).tolist() == [[True, True, False, False], [False] * 4, [True] * 4]
    assert rows(padding.zero_beyond(XS, LENGTHS)) == [[1, 2, 0, 0], [0, 0, 0, 0], [9, 10, 11, 12]]
    assert padding.zero_beyond(XS, None) is XS


def test_the_last_step_of_a_row_is_its_own():
    before = torch.tensor([[-1.0], [-2.0], [-3.0]])
    assert padding.last_of(XS, before, LENGTHS).flatten().tolist() == [2, -2, 12]
    assert padding.last_of(XS, before, None).flatten().tolist() == [4, 8, 12]


@pytest.mark.parametrize("dtype", [torch.float32, torch.long, torch.bool])
def test_rows_are_reversed_within_their_lengths(dtype):
    assert rows(padding.reversed_rows(XS, LENGTHS)) == [[2, 1, 3, 4], [5, 6, 7, 8], [12, 11, 10, 9]]
    assert rows(padding.reversed_rows(XS, None)) == [[4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]]
    flat = (XS[..., 0] % 2).to(dtype)
    assert torch.equal(padding.reversed_rows(flat, LENGTHS)[0], flat[0, [1, 0, 2, 3]])


def test_single_steps_replace_a_fused_kernel():
    class Other(GRUCell):
        """A subclass, for which there is no kernel."""

    cell = Other(1, 3)
    assert fused_or_steps(cell, "cpu") == StepByStep(cell)
    assert fused_or_steps(GRUCell(1, 3), "cpu") != StepByStep(cell)
    for lengths in (None, LENGTHS):
        ys, last = StepByStep(cell)(XS, cell.init_state(3), lengths)
        expected, end, _ = unroll(cell, XS, lengths=lengths)
        torch.testing.assert_close(ys, expected)
        torch.testing.assert_close(tree.named_tensors(last), tree.named_tensors(end))


def test_steps_leave_the_state_in_float32_under_autocast():
    cell = GRUCell(1, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, last = StepByStep(cell)(XS, cell.init_state(3), LENGTHS)
    assert last.hidden.dtype == torch.float32
