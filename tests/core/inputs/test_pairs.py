"""Pairs of sequences, and the decoder's inputs under teacher forcing."""

import torch

from memtape import tree
from memtape.core.inputs.pairs import BOUNDARY, Pairs, given_for


def test_the_given_symbols_are_the_target_one_step_late():
    targets = torch.tensor([[3, 5, 2, BOUNDARY], [4, BOUNDARY, 0, 0]])
    given = given_for(targets)
    for row in range(2):
        assert given[row, 0] == BOUNDARY
        for step in range(1, 4):
            assert given[row, step] == targets[row, step - 1]
    assert torch.equal(targets[0], torch.tensor([3, 5, 2, BOUNDARY]))


def test_an_empty_target_is_its_end_symbol_alone():
    assert given_for(torch.tensor([[BOUNDARY]])).tolist() == [[BOUNDARY]]


def test_rows_of_pairs_are_selected_like_those_of_a_state():
    pairs = Pairs(
        source=torch.arange(6).reshape(3, 2), source_lengths=torch.tensor([2, 1, 2]), given=torch.arange(3)[:, None]
    )
    part = tree.rows(pairs, 1, 3)
    assert part.source.tolist() == [[2, 3], [4, 5]]
    assert part.source_lengths.tolist() == [1, 2]
    assert part.given.tolist() == [[1], [2]]
