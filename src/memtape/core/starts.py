"""Starts: new sequences that start inside the rows of a fused run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core import state_tree
from memtape.core.cell import FusedRun

S = TypeVar("S")


@dataclass(frozen=True)
class Starts(Generic[S]):
    """Where new sequences start inside rows, never beyond a row's length, and what the state is set to there."""

    steps: Bool[Tensor, "batch time"]
    state: S

    def of(self, part: Any) -> "Starts[Any]":
        """Return the same starts for a part of the cell, which is set to a part of the state."""
        return Starts(self.steps, part)


@dataclass(frozen=True)
class StartsInside(Generic[S]):
    """A fused run that resets the state at starts by itself, in one pass over the rows.

    If the `fused` of a cell returns one, `unroll` does not cut rows into pieces, which need more memory the more there
    are.

    Args:
        run: the fused run; its last argument is the starts, None for no starts.
    """

    run: Callable[[Tensor, S, Tensor | None, Starts[S] | None], tuple[Tensor, S]]

    def __call__(self, xs: Tensor, state: S, lengths: Tensor | None) -> tuple[Tensor, S]:
        """Run over whole sequences without starts inside them."""
        return self.run(xs, state, lengths, None)


def made_of(
    parts: Sequence[FusedRun[Any]], run: Callable[[Tensor, S, Tensor | None, Starts[S] | None], tuple[Tensor, S]]
) -> FusedRun[S]:
    """Return a fused run made of other fused runs; it takes starts inside rows if one of its parts does."""
    if any(isinstance(part, StartsInside) for part in parts):
        return StartsInside(run)
    return lambda xs, state, lengths: run(xs, state, lengths, None)


def run_with_starts(
    run: FusedRun[S], xs: Tensor, state: S, lengths: Tensor | None, starts: Starts[S] | None
) -> tuple[Tensor, S]:
    """Run over sequences with starts inside rows; cut the rows into pieces if the fused run takes no starts."""
    if starts is None:
        return run(xs, state, lengths)
    if isinstance(run, StartsInside):
        return run.run(xs, state, lengths, starts)
    return _in_pieces(run, xs, state, lengths, starts)


def _in_pieces(run: FusedRun[S], xs: Tensor, state: S, lengths: Tensor | None, starts: Starts[S]) -> tuple[Tensor, S]:
    """Cut every row where a new sequence starts, and run pieces of similar lengths together, as rows of one batch.

    Each piece is padded to less than twice its length, so that the memory is proportional to the number of steps.
    """
    batch, time = starts.steps.shape
    ends = torch.full((batch,), time, device=xs.device) if lengths is None else lengths
    cuts = starts.steps.clone()
    cuts[:, 0] = True
    row, first = torch.nonzero(cuts, as_tuple=True)
    last_of_row = torch.cat([row[1:] != row[:-1], row.new_ones(1, dtype=torch.bool)])
    length = torch.where(last_of_row, ends[row], first.roll(-1)) - first
    carried = (first == 0) & ~starts.steps[row, first]
    _, bits = torch.frexp(length.double())
    outputs, places, states, rows = [], [], [], []
    for fresh, size in torch.stack([~carried, bits], dim=1).unique(dim=0).tolist():
        group = torch.nonzero((carried != bool(fresh)) & (bits == size)).flatten()
        steps = torch.arange(int(length[group].max().clamp(min=1)), device=xs.device)
        inside = steps < length[group, None]
        place = (row[group] * time + first[group])[:, None] + steps
        pieces = torch.where(inside[..., None], xs.flatten(0, 1)[place.clamp(max=batch * time - 1)], 0)
        ys, after = run(pieces, _rows(starts.state if fresh else state, row[group]), length[group])
        final = last_of_row[group]
        outputs.append(ys[inside])
        places.append(place[inside])
        states.append(_rows(after, torch.nonzero(final).flatten()))
        rows.append(row[group][final])
    ys = torch.cat(outputs)
    placed = ys.new_zeros(batch * time, ys.shape[-1]).index_copy(0, torch.cat(places), ys)
    return placed.unflatten(0, (batch, time)), _rows(state_tree.cat(states, axis=0), torch.cat(rows).argsort())


def _rows(state: S, row: Tensor) -> S:
    """Take rows of a state; a tensor that is equal in all rows is expanded instead of copied."""

    def taken(leaf: Tensor) -> Tensor:
        return leaf[:1].expand(len(row), *leaf.shape[1:]) if leaf.stride(0) == 0 else leaf[row]

    return pytree.tree_map(taken, state)
