"""Ragged sequences in one array, against lists."""

import torch

from memtape.tasks.ragged import Ragged


def test_rows_are_padded_with_zeros_to_the_longest_of_them():
    ragged = Ragged.of([[1, 2], [3], [], [4, 5, 6]])
    assert len(ragged) == 4
    rows, lengths = ragged.padded(torch.tensor([3, 1, 2, 0, 1]))
    assert rows.tolist() == [[4, 5, 6], [3, 0, 0], [0, 0, 0], [1, 2, 0], [3, 0, 0]]
    assert lengths.tolist() == [3, 1, 0, 2, 1]
    assert ragged.padded(torch.tensor([1, 0]))[0].tolist() == [[3, 0], [1, 2]]


def test_steps_can_be_vectors():
    values = torch.arange(1.0, 9).reshape(4, 2)
    rows, _ = Ragged(values, torch.tensor([3, 1])).padded(torch.tensor([1, 0]))
    assert rows.tolist() == [[[7, 8], [0, 0], [0, 0]], [[1, 2], [3, 4], [5, 6]]]
