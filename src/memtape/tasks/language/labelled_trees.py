"""Labelled trees: trees whose nodes have classes, many of them at once."""

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core.state import state
from memtape.core.trees import NONE, Trees
from memtape.tasks.language.bracketed import BracketedTree

UNKNOWN = 0
"""The symbol of all words that a vocabulary does not have."""


@state
class LabelledTrees:
    """Trees with a class at each node, one tree a row, padded at the end."""

    trees: Trees
    labels: Int[Tensor, "batch nodes"]
    """The class of each node, -1 for none, as in the padding."""
    lengths: Int[Tensor, " batch"]
    """The number of nodes of each row."""

    def take(self, rows: Int[Tensor, " rows"]) -> "LabelledTrees":
        """Return some rows, with no more padding than the longest of them needs."""
        lengths = self.lengths[rows]
        nodes = int(lengths.max()) if len(lengths) else 0
        return LabelledTrees(
            trees=Trees(words=self.trees.words[rows, :nodes], children=self.trees.children[rows, :nodes]),
            labels=self.labels[rows, :nodes],
            lengths=lengths,
        )


def vocabulary_of(trees: Sequence[BracketedTree], *, least: int = 1) -> dict[str, int]:
    """Number the words that stand in the trees at least so many times, the most frequent first, from 1; 0 is for all others."""
    counts = Counter(word for tree in trees for word in tree.words if word is not None)
    ranked = sorted((-count, word) for word, count in counts.items() if count >= least)
    return {word: number for number, (_, word) in enumerate(ranked, UNKNOWN + 1)}


def labelled_trees(trees: Sequence[BracketedTree], vocabulary: Mapping[str, int]) -> LabelledTrees:
    """Return trees that were read as tensors, with words as the numbers of a vocabulary."""
    lengths = torch.tensor([len(tree.labels) for tree in trees], dtype=torch.long)
    nodes = int(lengths.max()) if trees else 0
    inside = torch.arange(nodes) < lengths[:, None]

    def padded(values: list[int]) -> Tensor:
        """Return a table of the values of all nodes, one tree after another."""
        return torch.full(inside.shape, NONE).masked_scatter_(inside, torch.tensor(values, dtype=torch.long))

    words = [word for tree in trees for word in tree.words]
    pairs = [pair or (NONE, NONE) for tree in trees for pair in tree.children]
    return LabelledTrees(
        trees=Trees(
            words=padded([NONE if word is None else vocabulary.get(word, UNKNOWN) for word in words]),
            children=torch.stack([padded([pair[slot] for pair in pairs]) for slot in (0, 1)], dim=-1),
        ),
        labels=padded([label for tree in trees for label in tree.labels]),
        lengths=lengths,
    )
