"""Fused cache: run a machine with attention over cached hidden vectors by the kernels of the machine and its controller."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core import padding, state_tree
from memtape.core.cell import FusedRun
from memtape.core.state import NoState
from memtape.core.unroll import unroll
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.scheduled import CacheState, ScheduledCell, ScheduledState


@dataclass(frozen=True)
class _Segment:
    """Adjacent steps that all access the memory, or of which none does."""

    first: int
    last: int
    count: int
    """Number of steps that were taken before the first one."""
    accesses: bool
    attends: bool
    """Whether the controller receives attention over cached hidden vectors; then the segment has one step."""


@dataclass(frozen=True, eq=False)
class FusedCache:
    """Run the steps with an access by the kernel of the machine, and the others by the kernel of its controller."""

    cell: ScheduledCell
    machine: FusedRun[AugmentedState]

    def __call__(self, xs: Tensor, state: ScheduledState, lengths: Tensor | None) -> tuple[Tensor, ScheduledState]:
        """Run over whole sequences; rows that have taken different numbers of steps run one after another."""
        counts = state.count.unique()
        if len(counts) <= 1:
            return self._of_one_count(xs, state, lengths)
        groups = [torch.nonzero(state.count == count).flatten() for count in counts]
        parts = [
            self._of_one_count(xs[group], _rows(state, group), None if lengths is None else lengths[group])
            for group in groups
        ]
        order = torch.cat(groups).argsort()
        ys, last = state_tree.cat(parts, axis=0)
        return ys[order], _rows(last, order)

    def _of_one_count(self, xs: Tensor, state: ScheduledState, lengths: Tensor | None) -> tuple[Tensor, ScheduledState]:
        outputs = []
        for segment in self._segments(xs, state):
            part = xs[:, segment.first : segment.last]
            inside = None if lengths is None else (lengths - segment.first).clamp(0, part.shape[1])
            run = self._with_access if segment.accesses else self._without_access
            ys, state = run(segment, part, state, inside)
            outputs.append(ys)
        return torch.cat(outputs, dim=1), state

    def _segments(self, xs: Tensor, state: ScheduledState) -> list[_Segment]:
        """Return the segments of the steps of `xs`; all rows have taken the same number of steps."""
        count = int(state.count[0]) if len(state.count) else 0
        numbers = torch.arange(xs.shape[1], device=xs.device, dtype=state.count.dtype) + count + self.cell.first_number
        schedule = self.cell.schedule
        accesses = schedule(numbers).tolist()
        attends = (schedule.chosen(numbers) & schedule.in_source(numbers)).tolist()
        segments: list[_Segment] = []
        for t, (access, attended) in enumerate(zip(accesses, attends, strict=True)):
            before = segments[-1] if segments else None
            if before is None or attended or before.attends or before.accesses != access:
                segments.append(_Segment(t, t + 1, count + t, access, attended))
            else:
                segments[-1] = replace(before, last=t + 1)
        return segments

    def _with_access(
        self, segment: _Segment, xs: Tensor, state: ScheduledState, lengths: Tensor | None
    ) -> tuple[Tensor, ScheduledState]:
        before, cache = state.machine, state.cache
        if segment.attends:
            before, cache = self.cell.before(state)
        ys, machine = self.machine(xs, before, lengths)
        if segment.attends and lengths is not None:
            machine, cache = state_tree.select(lengths > 0, (machine, cache), (state.machine, state.cache))
        return ys, self._after(xs, state, machine, cache, lengths)

    def _without_access(
        self, segment: _Segment, xs: Tensor, state: ScheduledState, lengths: Tensor | None
    ) -> tuple[Tensor, ScheduledState]:
        machine, last = self.cell.machine, state.machine
        reads = last.reads[:, None].expand(-1, xs.shape[1], -1)
        hidden, controller, _ = unroll(
            machine.controller, torch.cat([xs, reads], dim=-1), last.controller, lengths=lengths
        )
        ys = machine.output(hidden.flatten(0, 1), reads.flatten(0, 1)).unflatten(0, xs.shape[:2])
        alive = None if lengths is None else padding.alive(xs, lengths)
        if alive is not None:
            ys = torch.where(alive[..., None], ys, 0)
        cache = self._filled(segment, state, hidden, alive)
        return ys, self._after(xs, state, replace(last, controller=controller), cache, lengths)

    def _filled(
        self,
        segment: _Segment,
        state: ScheduledState,
        hidden: Float[Tensor, "batch time hidden"],
        alive: Bool[Tensor, "batch time"] | None,
    ) -> CacheState | NoState:
        """Return the cache with the hidden vectors before each of the steps of a segment, which are at most an interval."""
        if isinstance(state.cache, NoState):
            return state.cache
        cached = state.cache.hidden
        before = torch.cat([state.machine.controller.hidden[:, None], hidden[:, :-1]], dim=1).to(cached.dtype)
        places = torch.arange(segment.count, segment.count + hidden.shape[1], device=hidden.device) % cached.shape[1]
        if alive is not None:
            before = torch.where(alive[..., None], before, cached[:, places])
        return CacheState(hidden=cached.index_copy(1, places, before))

    def _after(
        self,
        xs: Tensor,
        state: ScheduledState,
        machine: AugmentedState,
        cache: CacheState | NoState,
        lengths: Tensor | None,
    ) -> ScheduledState:
        count = state.count + (xs.shape[1] if lengths is None else lengths.to(state.count.dtype))
        return ScheduledState(machine=machine, count=count, cache=cache)


def _rows(state: Any, rows: Tensor) -> Any:
    return pytree.tree_map(lambda leaf: leaf[rows], state)
