"""Trees: a batch of trees as two tables of integers, and the validation of such tables."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Integer
from torch import Tensor

from memtape.core import checks, padding
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register
from memtape.core.integers import is_integral, widened
from memtape.core.state import state

NONE = -1
"""Marks an absent word and an absent child."""


@state
class Trees:
    """A batch of trees, one in each row, with the nodes in postorder: children before their parent, the root last.

    Rows with fewer nodes than the longest are padded at the end.

    Example:
        >>> import torch
        >>> from memtape.core.inputs.trees import Trees
        >>> chain = Trees(  # (7 8) 9
        ...     words=torch.tensor([[7, 8, -1, 9, -1]]),
        ...     children=torch.tensor([[[-1, -1], [-1, -1], [0, 1], [-1, -1], [2, 3]]]),
        ... )
    """

    words: Integer[Tensor, "batch nodes"]
    """The symbol of each node, -1 for none, such as at the inner nodes of a parse."""
    children: Integer[Tensor, "batch nodes arity"]
    """The children of each node, as indices of nodes in the same row, -1 for none."""

    def __post_init__(self) -> None:
        """Convert integers of any size to int64."""
        object.__setattr__(self, "words", widened(self.words))
        object.__setattr__(self, "children", widened(self.children))


class TreesKind(InputKind[Trees]):
    """`Trees`, whose time axis runs over the nodes of each tree, the root last."""

    name: ClassVar[str] = "trees"
    record: ClassVar[type] = Trees
    article: ClassVar[str] = "memtape.Trees"
    time_axis: ClassVar[str] = "node"

    def length(self, inputs: Trees) -> int:
        """Return the number of nodes of the largest tree, padding included."""
        return inputs.words.shape[1]

    def join(self, parts: Sequence[Trees]) -> Trees:
        """Concatenate the trees, padded with nodes that have neither word nor children."""
        return Trees(
            words=padding.joined([part.words for part in parts], NONE),
            children=padding.joined([part.children for part in parts], NONE),
        )


TREES = register(TreesKind())


def checked(trees: Trees, lengths: Any = None) -> Tensor:
    """Check that every row is a tree, and return the number of nodes of each row, on the CPU.

    Args:
        trees: the trees.
        lengths: the number of nodes of each row, shape (batch,); None means that no row is padded.

    Raises:
        TypeError: tensors or lengths are not integers.
        ValueError: the shapes do not match, or a row has no nodes or is not a tree in postorder with words at its
            leaves.
    """
    _check_tables(trees)
    batch, nodes = trees.words.shape
    counts = torch.full((batch,), nodes) if lengths is None else checks.lengths_of(trees.words, lengths).cpu()
    if batch and not int(counts.min()):
        raise ValueError(
            f"row {int(counts.argmin())} has length 0, but a tree has at least one node; leave out rows without a tree"
        )
    words, children = trees.words.cpu(), trees.children.cpu()
    places = torch.arange(nodes)
    inside = places < counts[:, None]
    present = (children != NONE) & inside[:, :, None]

    wrong = _first(present & ((children < 0) | (children >= places[:, None])))
    if wrong:
        row, node, _ = wrong
        raise ValueError(
            f"node {node} of row {row} has the child {int(children[wrong])}, but children come before their parent, at "
            f"0..{node - 1}; number the nodes in postorder, with {NONE} for no child"
        )
    flat = (children + nodes * torch.arange(batch)[:, None, None])[present]
    parents = torch.bincount(flat, minlength=batch * nodes).view(batch, nodes)
    wrong = _first((parents != 1) & (places < counts[:, None] - 1))
    if wrong:
        raise ValueError(
            f"node {wrong[1]} of row {wrong[0]} is the child of {int(parents[wrong])} nodes, but every node of a tree "
            "except the last, its root, is the child of one; number the nodes in postorder and give the length of each row"
        )
    wrong = _first((words < NONE) & inside)
    if wrong:
        raise ValueError(
            f"node {wrong[1]} of row {wrong[0]} has the word {int(words[wrong])}, but symbols are at least 0; "
            f"give {NONE} to nodes without a word"
        )
    wrong = _first((words == NONE) & ~present.any(dim=2) & inside)
    if wrong:
        raise ValueError(
            f"node {wrong[1]} of row {wrong[0]} has neither a word nor children, but every leaf must have a word; "
            "give it a word, or pass lengths if it is padding"
        )
    return counts


def _check_tables(trees: Trees) -> None:
    for name, table in (("words", trees.words), ("children", trees.children)):
        if not is_integral(table):
            raise TypeError(f"{name} of the trees are {table.dtype}, but they must be integers; pass integers")
    if trees.words.ndim != 2 or trees.children.ndim != 3 or trees.words.shape != trees.children.shape[:2]:
        raise ValueError(
            f"words of the trees have shape {tuple(trees.words.shape)} and children {tuple(trees.children.shape)}, but they "
            "must be (batch, nodes) and (batch, nodes, arity); give every node a word and children"
        )


def _first(wrong: Tensor) -> tuple[int, ...] | None:
    """Return the index of the first True, None if there is none."""
    return tuple(wrong.nonzero()[0].tolist()) if bool(wrong.any()) else None
