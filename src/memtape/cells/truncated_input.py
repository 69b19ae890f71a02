"""Truncated input: a cell that ignores the last entries of its input."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells


class TruncatedInput(Cell[Any]):
    r"""Drop the last entries of the input of a cell; output and state are the cell's.

    $$x_t = [a_t; z_t], \qquad (y_t, s_t) = f(a_t, s_{t-1})$$

    Args:
        cell: the cell $f$.
        size: size of $z_t$.

    Raises:
        TypeError: the size is not an integer.
        ValueError: the size is below 1.
    """

    def __init__(self, cell: AnyCell, size: int):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.at_least(1, size=size)
        self.cell = cell
        self.input_size, self.output_size = cell.input_size + size, cell.output_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return self.cell(x[:, : self.cell.input_size], state)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell, applied to the truncated inputs."""
        inner = fused_run(self.cell, backend)
        if inner is None:
            return None

        def run(xs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
            return inner(xs[..., : self.cell.input_size], state, lengths)

        return run
