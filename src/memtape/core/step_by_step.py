"""StepByStep: run a cell without a fused kernel inside a network that has fused kernels."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core import padding, state_tree
from memtape.core.cell import AnyCell, FusedRun, fused_run
from memtape.core.cell_contract import first_step


@dataclass(frozen=True)
class StepByStep:
    """Run a cell over whole sequences step by step, with the interface of a fused kernel."""

    cell: AnyCell

    def __call__(self, xs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """Run over whole sequences."""
        alive = None if lengths is None else padding.alive(xs, lengths)
        ys = []
        for t, x in enumerate(xs.unbind(dim=1)):
            y, moved = self.cell(x, state) if t else first_step(self.cell, self.cell, x, state)
            if torch.is_autocast_enabled(xs.device.type):
                moved = state_tree.like(moved, state)
            state = moved if alive is None else state_tree.select(alive[:, t], moved, state)
            ys.append(y)
        return padding.zero_beyond(torch.stack(ys, dim=1), lengths), state


def fused_or_steps(cell: AnyCell, backend: str) -> FusedRun[Any]:
    """Return the fused kernel of a cell on a backend, or `StepByStep` if there is none."""
    return fused_run(cell, backend) or StepByStep(cell)
