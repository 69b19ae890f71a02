"""Fused schedule: run a machine that accesses its memory in some steps by the kernel of the machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import FusedRun
from memtape.core.known_parts import are_linear, unchanged
from memtape.core.state import NoState
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.fused_controller import Attention
from memtape.models.machine.fused_sequences import Cached, FusedSequences
from memtape.models.machine.scheduled import CachedAttention, CacheState, ScheduledCell, ScheduledState


def fused_schedule(
    cell: AugmentedCell | ScheduledCell, of_machine: Callable[[AugmentedCell], FusedSequences | None]
) -> FusedRun[Any] | None:
    """Return the fused run of a machine with or without a schedule, None if it has to be run step by step.

    Args:
        cell: the machine, or the machine with a schedule.
        of_machine: returns the fused kernel of a machine.
    """
    if not isinstance(cell, ScheduledCell):
        return of_machine(cell)
    machine = of_machine(cell.machine)
    if machine is None or not cell.hold_reads or not unchanged(cell) or not _known(cell.attention):
        return None
    return FusedSchedule(cell, machine)


@dataclass(frozen=True, eq=False)
class FusedSchedule:
    """The fused kernel of a machine, which skips the memory in the steps without an access."""

    cell: ScheduledCell
    machine: FusedSequences

    def __call__(self, xs: Tensor, state: ScheduledState, lengths: Tensor | None) -> tuple[Tensor, ScheduledState]:
        """Run over whole sequences."""
        counts = state.count[:, None] + torch.arange(xs.shape[1], device=xs.device)
        numbers = (counts + self.cell.first_number).flatten()
        accesses = self.cell.schedule(numbers).unflatten(0, xs.shape[:2])
        cached = self._cached(counts, numbers, state)
        ys, machine, last = self.machine.scheduled(xs, state.machine, lengths, accesses, cached)
        taken = xs.shape[1] if lengths is None else lengths.to(state.count.dtype)
        cache = state.cache if cached is None else CacheState(hidden=last)
        return ys, ScheduledState(machine=machine, count=state.count + taken, cache=cache)

    def _cached(self, counts: Tensor, numbers: Tensor, state: ScheduledState) -> Cached | None:
        attention = self.cell.attention
        if attention is None or isinstance(state.cache, NoState):
            return None
        cache = state.cache.hidden
        in_source = self.cell.schedule.in_source(numbers).unflatten(0, counts.shape)
        places = torch.where(in_source, counts.long() % cache.shape[1], -1)
        now = torch.cat([attention.of_hidden.weight, attention.of_reads.weight], dim=1)
        return Cached(Attention(attention.of_cached.weight, now, attention.score.weight[0]), cache, places)


def _known(attention: CachedAttention | None) -> bool:
    """Return whether the kernels compute the attention of a cell, if there is one."""
    if attention is None:
        return True
    layers = (attention.of_hidden, attention.of_cached, attention.of_reads, attention.score)
    return type(attention) is CachedAttention and unchanged(attention) and are_linear(*layers, bias=False)
