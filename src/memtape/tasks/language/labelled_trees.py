"""Labelled trees: batches of trees with a class at each node."""

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core.inputs.trees import NONE, Trees
from memtape.core.state import state
from memtape.tasks.language.bracketed import BracketedTree

UNKNOWN = 0
"""The symbol of all words that are not in a vocabulary."""


@state
class LabelledTrees:
    """Trees with a class at each node, one tree per row, padded at the end."""

    trees: Trees
    labels: Int[Tensor, "batch nodes"]
    """The class of each node; -1 for nodes without a class and padding."""
    lengths: Int[Tensor, " batch"]
    """The number of nodes of each row."""

    def take(self, rows: Int[Tensor, " rows"]) -> "LabelledTrees":
        """Select rows, and trim the padding to the longest of them."""
        lengths = self.lengths[rows]
        nodes = int(lengths.max()) if len(lengths) else 0
        return LabelledTrees(
            trees=Trees(words=self.trees.words[rows, :nodes], children=self.trees.children[rows, :nodes]),
            labels=self.labels[rows, :nodes],
            lengths=lengths,
        )

    def sizes(self) -> Int[Tensor, "batch nodes"]:
        """Return the number of nodes of the subtree of each node."""
        children, present = self.trees.children.clamp_min(0), self.trees.children != NONE
        sizes = torch.ones_like(self.labels)
        for node in range(sizes.shape[1]):
            sizes[:, node] += (sizes.gather(1, children[:, node]) * present[:, node]).sum(1)
        return sizes

    def below(self, rows: Int[Tensor, " rows"], nodes: Int[Tensor, " rows"], sizes: Tensor) -> "LabelledTrees":
        """Return subtrees as trees; in postorder the nodes of a subtree are contiguous and end with its root.

        Args:
            rows: the row of each subtree.
            nodes: the root of each subtree.
            sizes: the result of `sizes`.
        """
        lengths = sizes[rows, nodes]
        first = (nodes - lengths + 1)[:, None]
        steps = torch.arange(int(lengths.max()) if len(lengths) else 0)
        inside = steps < lengths[:, None]
        place = rows[:, None], torch.where(inside, first + steps, 0)
        children = self.trees.children[place]
        return LabelledTrees(
            trees=Trees(
                words=torch.where(inside, self.trees.words[place], NONE),
                children=torch.where(inside[..., None] & (children != NONE), children - first[..., None], NONE),
            ),
            labels=torch.where(inside, self.labels[place], NONE),
            lengths=lengths,
        )


def vocabulary_of(trees: Sequence[BracketedTree], *, least: int = 1) -> dict[str, int]:
    """Number the words that occur at least `least` times, from 1, the most frequent first; 0 is for all other words."""
    counts = Counter(word for tree in trees for word in tree.words if word is not None)
    ranked = sorted((-count, word) for word, count in counts.items() if count >= least)
    return {word: number for number, (_, word) in enumerate(ranked, UNKNOWN + 1)}


def labelled_trees(trees: Sequence[BracketedTree], vocabulary: Mapping[str, int]) -> LabelledTrees:
    """Convert parsed trees to tensors, with words as indices into a vocabulary."""
    lengths = torch.tensor([len(tree.labels) for tree in trees], dtype=torch.long)
    nodes = int(lengths.max()) if trees else 0
    inside = torch.arange(nodes) < lengths[:, None]

    def padded(values: list[int]) -> Tensor:
        """Return the values of all nodes, listed tree by tree, as a padded table with one tree per row."""
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
