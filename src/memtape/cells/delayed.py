"""Delayed: a cell that receives each input one step late."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import padding
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.state import state


@state
class DelayedState:
    """The state of the cell, and the input of the previous step, which the cell receives next."""

    cell: Any
    x: Float[Tensor, "*batch input"]


class Delayed(Cell[DelayedState]):
    r"""Delay the inputs of a cell by one step; at the first step the cell receives zeros.

    $$(y_t, s_t) = f(x_{t-1}, s_{t-1}), \qquad x_0 = 0$$

    The textbook indexes its gated recurrent unit in this way: $h_t$ depends on $x_{t-1}$, $h_{t-1}$ and the gates of step
    $t - 1$, which depend on the same two vectors.

    Args:
        cell: any cell.

    References:
        Goodfellow, Bengio & Courville (2016), "Deep Learning", section 10.10.2, equations 10.45 to 10.47.
    """

    def __init__(self, cell: AnyCell):
        super().__init__()
        require_cells(type(self).__name__, cell)
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = cell.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> DelayedState:
        """Return the initial state of the cell, and an input of zeros."""
        return DelayedState(
            cell=self.cell.init_state(batch_size, device=device, dtype=dtype),
            x=torch.zeros(batch_size, self.input_size, device=device, dtype=dtype),
        )

    def forward(
        self, x: Float[Tensor, "batch input"], state: DelayedState
    ) -> tuple[Float[Tensor, "batch output"], DelayedState]:
        """Take one step."""
        y, moved = self.cell(state.x, state.cell)
        return y, DelayedState(cell=moved, x=x)

    def fused(self, backend: str) -> FusedRun[DelayedState] | None:
        """Return the fused kernel of the inner cell, applied to the delayed inputs."""
        inner = fused_run(self.cell, backend)
        if inner is None:
            return None

        def run(xs: Tensor, state: DelayedState, lengths: Tensor | None) -> tuple[Tensor, DelayedState]:
            ys, moved = inner(torch.cat([state.x[:, None], xs[:, :-1]], dim=1), state.cell, lengths)
            return ys, DelayedState(cell=moved, x=padding.last_of(xs, state.x, lengths))

        return run
