"""The tables of trees: each kind of invalid table is refused with one sentence."""

import pytest
import torch

from memtape.core.inputs.trees import Trees, checked

CHAIN = {"words": [[7, 8, -1, 9, -1]], "children": [[[-1, -1], [-1, -1], [0, 1], [-1, -1], [2, 3]]]}


def trees(words=CHAIN["words"], children=CHAIN["children"]):
    return Trees(words=torch.tensor(words), children=torch.tensor(children))


def changed(node, pair):
    children = [list(pair) for pair in CHAIN["children"][0]]
    children[node] = pair
    return trees(children=[children])


def test_trees_without_padding_need_no_lengths():
    assert checked(trees()).tolist() == [5]


def test_padding_is_not_checked():
    poisoned = trees([[7, -9]], [[[-1, -1], [44, -5]]])
    assert checked(poisoned, torch.tensor([1])).tolist() == [1]


def test_all_integer_types_are_accepted():
    small = Trees(words=trees().words.to(torch.int8), children=trees().children.int())
    assert checked(small, [5]).dtype == torch.int64


def test_an_empty_batch_is_valid():
    empty = Trees(words=torch.zeros(0, 3, dtype=torch.long), children=torch.zeros(0, 3, 2, dtype=torch.long))
    assert checked(empty).tolist() == []


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            lambda: changed(2, [0, 2]),
            "node 2 of row 0 has the child 2, but children come before their parent, at 0",
        ),
        (lambda: changed(2, [0, 4]), "node 2 of row 0 has the child 4, but children come before their parent"),
        (lambda: changed(2, [0, -2]), "node 2 of row 0 has the child -2, but children come before their parent"),
        (
            lambda: changed(2, [0, 0]),
            "node 0 of row 0 is the child of 2 nodes, but every node of a tree except the last",
        ),
        (
            lambda: changed(4, [2, -1]),
            "node 3 of row 0 is the child of 0 nodes, but every node of a tree except the last",
        ),
        (
            lambda: trees([[7, 8, -1, -1, -1]]),
            "node 3 of row 0 has neither a word nor children, but every leaf must have a word; give it",
        ),
        (
            lambda: trees([[7, -3, -1, 9, -1]]),
            "node 1 of row 0 has the word -3, but symbols are at least 0; give -1 to nodes",
        ),
        (
            lambda: trees([[7, 8, -1, 9]]),
            r"words of the trees have shape \(1, 4\) and children \(1, 5, 2\), but they must be",
        ),
    ],
)
def test_an_invalid_tree_is_refused(broken, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        checked(broken())


def test_a_row_of_length_0_is_refused():
    two = trees(CHAIN["words"] * 2, CHAIN["children"] * 2)
    with pytest.raises(
        ValueError, match="row 1 has length 0, but a tree has at least one node; leave out rows without"
    ):
        checked(two, torch.tensor([5, 0]))


def test_a_length_beyond_the_nodes_is_refused():
    with pytest.raises(ValueError, match=r"a length is 6, but every length must lie in 0\.\.5"):
        checked(trees(), torch.tensor([6]))


def test_numbers_that_are_not_integers_are_refused(shapes_unchecked):
    with pytest.raises(TypeError, match=r"words of the trees are torch\.float32, but they must be integers; pass"):
        checked(Trees(words=trees().words.float(), children=trees().children))
    with pytest.raises(TypeError, match=r"children of the trees are torch\.bool, but they must be integers; pass"):
        checked(Trees(words=trees().words, children=trees().children.bool()))
