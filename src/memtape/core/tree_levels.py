"""Levels: sort the nodes of a batch of trees by depth, so that each level is computed at once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from memtape.core.inputs.trees import NONE, Trees


@dataclass(frozen=True)
class Level:
    """Nodes at one depth, over the whole batch: first those with children, then the leaves."""

    inner: Tensor
    """The nodes with children, as indices into the flattened batch."""
    children: Tensor
    """Their children, shape (inner, arity), as indices into the level below; the index after its last marks no child."""
    leaves: Tensor
    """The leaves, as indices into the flattened batch."""
    words: Tensor | None
    """The words of the nodes with children, as indices into the words of the batch; the index after the last marks no
    word. None if no node with children has a word."""


@dataclass(frozen=True)
class Levels:
    """The nodes of a batch of trees by depth."""

    levels: tuple[Level, ...]
    """The levels, the roots first; the last level has leaves only."""
    words: Tensor
    """The symbols of all words of the batch: of the leaves, level by level, then of nodes with children."""
    roots: Tensor
    """The root of each row, as indices into the first level."""


def levels_of(trees: Trees, counts: Tensor, arity: int) -> Levels:
    """Sort the nodes of a batch by depth.

    Each level contains exactly the children of the level above, so that, whatever the shapes of the trees, the data
    that is moved and kept over all levels is proportional to the number of nodes.

    Args:
        trees: the trees, validated.
        counts: the number of nodes of each row, on the CPU.
        arity: number of children for which each node has room, at least that of the trees.
    """
    batch, nodes = trees.words.shape
    first = nodes * torch.arange(batch)
    words, children = trees.words.cpu().flatten(), trees.children.cpu()
    children = torch.where(children == NONE, NONE, children + first[:, None, None]).flatten(0, 1)
    children = functional.pad(children, (0, arity - children.shape[1]), value=NONE)
    has_children = (children != NONE).any(dim=1)

    found: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    here = first + counts - 1
    while not found or len(here):
        inner = has_children[here]
        parents, leaves = here[inner], here[~inner]
        places = torch.where(inner, inner.cumsum(0), len(parents) + (~inner).cumsum(0)) - 1
        below = children[parents]
        here = below[below != NONE]
        found.append((parents, below, leaves, places))

    all_leaves = torch.cat([leaves for _, _, leaves, _ in found])
    all_inner = torch.cat([parents for parents, _, _, _ in found])
    inner_words = words[all_inner]
    speaks = inner_words >= 0
    count = len(all_leaves) + int(speaks.sum())
    heard = torch.where(speaks, len(all_leaves) + speaks.cumsum(0) - 1, count)
    heard_by_level = heard.split([len(parents) for parents, _, _, _ in found])

    levels = []
    following = [places for _, _, _, places in found[1:]] + [first[:0]]
    for (parents, below, leaves, _), places, level_words in zip(found, following, heard_by_level, strict=True):
        present = below != NONE
        levels.append(
            Level(
                inner=parents,
                children=torch.full_like(below, len(places)).masked_scatter_(present, places),
                leaves=leaves,
                words=level_words if bool((level_words < count).any()) else None,
            )
        )
    return Levels(tuple(levels), torch.cat([words[all_leaves], inner_words[speaks]]), found[0][3])
