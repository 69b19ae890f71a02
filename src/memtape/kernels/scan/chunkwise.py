"""Chunkwise: run any linear steps in parallel over time, with operations of torch."""

from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core import state_tree
from memtape.core.starts import Starts
from memtape.core.state import state
from memtape.kernels.scan.form import LinearStep

S = TypeVar("S")

CHUNK = 32
"""Steps per chunk: with a thousand steps there are about as many operations inside chunks as between them."""


@state
class _Stretch:
    """Combined steps, with flags for starts of new sequences and for padding."""

    steps: Any
    fresh: Tensor
    """Whether the state is reset somewhere in the stretch, whose steps are then those from the last reset on."""
    idle: Tensor
    """Whether all steps are padding."""

    def then(self, later: "_Stretch") -> "_Stretch":
        """Return this stretch and a later one as one stretch."""
        together = _select(later.fresh | self.idle, later.steps, self.steps.then(later.steps))
        return _Stretch(
            steps=_select(later.idle, self.steps, together),
            fresh=self.fresh | later.fresh,
            idle=self.idle & later.idle,
        )

    def apply(self, state: S, initial: S) -> S:
        """Return the state after the stretch; `initial` replaces the state where a sequence starts in it."""
        return _select(self.idle, state, self.steps.apply(_select(self.fresh, initial, state)))


def chunkwise(
    steps: LinearStep[S], state: S, lengths: Tensor | None, starts: Starts[S] | None, *, chunk: int = CHUNK
) -> tuple[S, S]:
    """Run linear steps over whole sequences: combined inside chunks in parallel, and one chunk after another.

    Time is cut into chunks. In all chunks at once, every step is combined with all steps before it in the chunk, by
    doubling the distance. Then the state is passed from chunk to chunk, and from the start of each chunk to all of its
    steps.

    Args:
        steps: the linear steps, tensors of (batch, time, ...).
        state: the state before the first step, tensors of (batch, ...).
        lengths: number of valid steps of each row, which may be 0; None for all.
        starts: where the state is reset before a step; None for nowhere.
        chunk: number of steps that are combined in parallel.

    Returns:
        The states after every step, tensors of (batch, time, ...), and those after each row's last step.
    """
    leaves = state_tree.leaves(steps)
    batch, time = torch.broadcast_shapes(*(leaf.shape[:2] for leaf in leaves))
    chunks = -(-time // chunk)
    place = torch.arange(chunks * chunk, device=leaves[0].device)
    ends = place.new_full((batch,), time) if lengths is None else lengths
    idle = (place >= ends[:, None]).unflatten(1, (chunks, chunk))
    stretch = _Stretch(
        steps=pytree.tree_map(lambda leaf: _in_chunks(leaf.expand(batch, time, *leaf.shape[2:]), chunks, chunk), steps),
        fresh=torch.zeros_like(idle) if starts is None else _in_chunks(starts.steps, chunks, chunk),
        idle=idle,
    )
    distance = 1
    while distance < chunk:
        merged = _part(stretch, slice(-distance)).then(_part(stretch, slice(distance, None)))
        stretch = state_tree.cat([_part(stretch, slice(distance)), merged], axis=2)
        distance *= 2
    initial = state if starts is None else starts.state
    before = [state]
    for number in range(chunks):
        whole = pytree.tree_map(lambda leaf, number=number: leaf[:, number, -1], stretch)
        before.append(state_tree.like(whole.apply(before[-1], initial), state))
    entering = pytree.tree_map(_everywhere, state_tree.stack(before[:-1], axis=1))
    after = stretch.apply(entering, pytree.tree_map(lambda leaf: _everywhere(leaf[:, None]), initial))
    states = pytree.tree_map(lambda leaf: leaf.flatten(1, 2)[:, :time], after)
    return states, before[-1]


def _in_chunks(leaf: Tensor, chunks: int, chunk: int) -> Tensor:
    """Cut the time axis into chunks, the last one padded with zeros."""
    batch, time, *rest = leaf.shape
    missing = leaf.new_zeros(batch, chunks * chunk - time, *rest)
    return torch.cat([leaf, missing], dim=1).reshape(batch, chunks, chunk, *rest)


def _part(stretch: _Stretch, steps: slice) -> _Stretch:
    return pytree.tree_map(lambda leaf: leaf[:, :, steps], stretch)


def _everywhere(leaf: Tensor) -> Tensor:
    """Add an axis of steps to a tensor that all steps of a chunk share."""
    return leaf.unsqueeze(2)


def _select(condition: Tensor, chosen: S, other: S) -> S:
    """Return `chosen` where the condition holds, else `other`; the condition has the leading axes of all tensors."""

    def leaf(first: Tensor, second: Tensor) -> Tensor:
        rest = max(first.ndim, second.ndim) - condition.ndim
        return torch.where(condition.reshape(*condition.shape, *[1] * rest), first, second)

    return pytree.tree_map(leaf, chosen, other)
