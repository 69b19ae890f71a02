"""StepByStep: run a cell without a fused kernel inside a network that has fused kernels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from memtape.core import growth, padding, state_tree
from memtape.core.cell import AnyCell, FusedRun, fused_run
from memtape.core.cell_contract import first_step
from memtape.core.exported_loop import exported_loop


@dataclass(frozen=True)
class StepByStep:
    """Run a cell over whole sequences step by step, with the interface of a fused kernel."""

    cell: AnyCell

    def __call__(self, xs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """Run over whole sequences."""
        alive = None if lengths is None else padding.alive(xs, lengths)
        if torch.compiler.is_exporting():
            outputs, state = exported_loop(partial(self._one, self.cell), (xs, alive), state)
            return padding.zero_beyond(outputs, lengths), state
        ys = []
        for t, x in enumerate(xs.unbind(dim=1)):
            step = self.cell if t else partial(first_step, self.cell, self.cell)
            y, state = self._one(step, x, None if alive is None else alive[:, t], state)
            ys.append(y)
        return padding.zero_beyond(torch.stack(ys, dim=1), lengths), state

    @staticmethod
    def _one(step: Callable[..., Any], x: Tensor, inside: Tensor | None, state: Any) -> tuple[Tensor, Any]:
        y, moved = step(x, state)
        moved = growth.cut(moved, state)
        if torch.is_autocast_enabled(x.device.type):
            moved = state_tree.like(moved, state)
        return y, moved if inside is None else state_tree.select(inside, moved, state)


def fused_or_steps(cell: AnyCell, backend: str) -> FusedRun[Any]:
    """Return the fused kernel of a cell on a backend, or `StepByStep` if there is none."""
    return fused_run(cell, backend) or StepByStep(cell)
