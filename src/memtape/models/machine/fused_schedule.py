"""Fused schedule: run a machine that accesses its memory in some steps by the kernel of the machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import FusedRun
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.fused_cache import FusedCache
from memtape.models.machine.fused_sequences import FusedSequences
from memtape.models.machine.scheduled import ScheduledCell, ScheduledState


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
    if machine is None or not cell.hold_reads:
        return None
    if cell.attention is None:
        return FusedSchedule(cell, machine)
    # the steps with attention depend on the state, and a compiled program does not
    return None if torch.compiler.is_compiling() else FusedCache(cell, machine)


@dataclass(frozen=True, eq=False)
class FusedSchedule:
    """The fused kernel of a machine, which skips the memory in the steps without an access."""

    cell: ScheduledCell
    machine: FusedSequences

    def __call__(self, xs: Tensor, state: ScheduledState, lengths: Tensor | None) -> tuple[Tensor, ScheduledState]:
        """Run over whole sequences."""
        steps = torch.arange(xs.shape[1], device=xs.device) + self.cell.first_number
        accesses = self.cell.schedule((state.count[:, None] + steps).flatten()).unflatten(0, xs.shape[:2])
        ys, machine = self.machine(xs, state.machine, lengths, accesses)
        taken = xs.shape[1] if lengths is None else lengths.to(state.count.dtype)
        return ys, ScheduledState(machine=machine, count=state.count + taken, cache=state.cache)
