"""Chunkwise: any linear steps in parallel over time, by operations of torch."""

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
"""Steps of a chunk: for a thousand steps about as many operations inside chunks as between them."""


@state
class _Stretch:
    """Steps, with where new sequences start among them and which of them do nothing."""

    steps: Any
    fresh: Tensor
    """Whether the state is set back before the step, or somewhere in the stretch, whose steps then are those from there on."""
    idle: Tensor
    """Whether nothing happens: beyond a row's length."""

    def then(self, later: "_Stretch") -> "_Stretch":
        together = _select(later.fresh | self.idle, later.steps, self.steps.then(later.steps))
        return _Stretch(
            steps=_select(later.idle, self.steps, together),
            fresh=self.fresh | later.fresh,
            idle=self.idle & later.idle,
        )

    def apply(self, state: S, initial: S) -> S:
        return _select(self.idle, state, self.steps.apply(_select(self.fresh, initial, state)))


def chunkwise(
    steps: LinearStep[S], state: S, lengths: Tensor | None, starts: Starts[S] | None, *, chunk: int = CHUNK
) -> tuple[S, S]:
    """Run linear steps over whole sequences: combined inside chunks in parallel, and one chunk after another.

    Time is cut into chunks. In all of them at once every step is combined with all steps before it, by doubling the distance;
    then the state goes from chunk to chunk, and from its chunk's beginning to every step.

    Args:
        steps: what each step does, tensors of (batch, time, ...).
        state: the state before the first step, tensors of (batch, ...).
        lengths: how many steps of each row count, 0 too; None for all.
        starts: where the state is set back before a step; None for nowhere.
        chunk: how many steps are combined in parallel.

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
    """Cut the time axis into chunks, the last one filled with zeros."""
    batch, time, *rest = leaf.shape
    missing = leaf.new_zeros(batch, chunks * chunk - time, *rest)
    return torch.cat([leaf, missing], dim=1).reshape(batch, chunks, chunk, *rest)


def _part(stretch: _Stretch, steps: slice) -> _Stretch:
    return pytree.tree_map(lambda leaf: leaf[:, :, steps], stretch)


def _everywhere(leaf: Tensor) -> Tensor:
    """Give what all steps of a chunk share an axis of steps."""
    return leaf.unsqueeze(2)


def _select(condition: Tensor, chosen: S, other: S) -> S:
    """Take `chosen` where the condition holds, whose axes are the leading ones of all tensors."""

    def leaf(first: Tensor, second: Tensor) -> Tensor:
        rest = max(first.ndim, second.ndim) - condition.ndim
        return torch.where(condition.reshape(*condition.shape, *[1] * rest), first, second)

    return pytree.tree_map(leaf, chosen, other)
