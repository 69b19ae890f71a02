"""StepByStep: run a cell that has no fast twin where its neighbours have one."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core import padding, state_tree
from memtape.core.cell import AnyCell, FusedRun


@dataclass(frozen=True)
class StepByStep:
    """What a twin does, done by single steps."""

    cell: AnyCell

    def __call__(self, xs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """Run over whole sequences."""
        alive = None if lengths is None else padding.alive(xs, lengths)
        ys = []
        for t, x in enumerate(xs.unbind(dim=1)):
            y, moved = self.cell(x, state)
            if torch.is_autocast_enabled(xs.device.type):
                moved = state_tree.like(moved, state)
            state = moved if alive is None else state_tree.select(alive[:, t], moved, state)
            ys.append(y)
        return padding.zero_beyond(torch.stack(ys, dim=1), lengths), state


def fused_or_steps(cell: AnyCell, backend: str) -> FusedRun[Any]:
    """Return the twin of a cell on a backend, and its steps where it has none."""
    return cell.fused(backend) or StepByStep(cell)
