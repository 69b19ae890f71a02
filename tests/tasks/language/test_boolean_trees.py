"""Boolean expressions as trees, against an evaluation by Python."""

import pytest
import torch

from memtape.core.inputs.trees import checked
from memtape.tasks.language.boolean_trees import SYMBOLS, boolean_trees

CONSTANTS = {"false": False, "true": True}


def drawn(count, depths, seed=0):
    return boolean_trees(count, depths, torch.Generator().manual_seed(seed))


def read(data, row, node, labels):
    """Return the value and the depth of an expression; for an operator phrase, its operator with those of its operand."""
    word, (left, right) = int(data.trees.words[row, node]), data.trees.children[row, node].tolist()
    label = int(data.labels[row, node])
    if word >= 0:
        assert (left, right) == (-1, -1)
        symbol = SYMBOLS[word]
        assert label == CONSTANTS.get(symbol, -1)
        labels.append(label)
        return (CONSTANTS[symbol], 0) if symbol in CONSTANTS else (symbol, None)
    first, depth = read(data, row, left, labels)
    second, other_depth = read(data, row, right, labels)
    if first in ("and", "or"):
        assert label == -1
        return (first, second), other_depth
    if first == "not":
        value, depth = not second, other_depth + 1
    else:
        operator, operand = second
        value = (first and operand) if operator == "and" else (first or operand)
        depth = 1 + max(depth, other_depth)
    assert label == value
    labels.append(label)
    return value, depth


@pytest.mark.parametrize("depths", [(0, 0), (1, 1), (0, 3), (5, 5), (7, 9)])
def test_labels_are_the_values_of_expressions_of_the_given_depths(depths):
    data = drawn(30, depths)
    assert torch.equal(checked(data.trees, data.lengths), data.lengths)
    found = {read(data, row, int(length) - 1, [])[1] for row, length in enumerate(data.lengths)}
    assert found == set(range(depths[0], depths[1] + 1))


def test_padding_has_neither_words_nor_children_nor_labels():
    data = drawn(20, (0, 4))
    outside = torch.arange(data.labels.shape[1]) >= data.lengths[:, None]
    assert data.labels.shape[1] == data.lengths.max()
    for table in (data.trees.words, data.trees.children, data.labels):
        assert (table[outside] == -1).all()


def test_operators_and_values_are_uniform():
    data = drawn(4000, (3, 3))
    counts = torch.bincount(data.trees.words[data.trees.words >= 2], minlength=5)[2:].float()
    assert (counts / counts.sum() - 1 / 3).abs().max() < 0.01
    assert abs(data.labels[torch.arange(4000), data.lengths - 1].float().mean() - 0.5) < 0.03


def test_the_deep_operand_is_on_either_side():
    data = drawn(2000, (4, 4))
    sides = []
    for row, length in enumerate(data.lengths.tolist()):
        left, right = data.trees.children[row, length - 1].tolist()
        if int(data.trees.words[row, left]) != SYMBOLS.index("not"):
            operand = int(data.trees.children[row, right][1])
            sides.append(read(data, row, left, [])[1] >= read(data, row, operand, [])[1])
    assert 0.5 < sum(sides) / len(sides) < 0.7


def test_the_trees_depend_on_the_generator():
    one, same, other = drawn(9, (2, 4)), drawn(9, (2, 4)), drawn(9, (2, 4), seed=1)
    assert torch.equal(one.trees.words, same.trees.words)
    assert not torch.equal(one.lengths, other.lengths)


@pytest.mark.parametrize("depths", [(-1, 2), (3, 2)])
def test_an_empty_range_of_depths_is_refused(depths):
    with pytest.raises(
        ValueError, match=f"depths are {depths[0]}..{depths[1]}, but a range of depths needs 0 <= minimum <= maximum"
    ):
        drawn(1, depths)


def test_zero_trees_give_an_empty_batch():
    assert drawn(0, (1, 2)).labels.shape == (0, 0)
