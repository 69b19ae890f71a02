"""Residual: a residual connection around a cell."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import padding
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.starts import Starts, made_of, run_with_starts


class Residual(Cell[Any]):
    r"""Add the input of a cell to its output, which eases the training of deep stacks; the state is the cell's.

    $$(h_t, s_t) = f(x_t, s_{t-1}), \qquad y_t = x_t + h_t$$

    Args:
        cell: a cell whose `input_size` equals its `output_size`.

    Raises:
        ValueError: the input and output sizes of the cell differ.

    References:
        Wu et al. (2016), "Google's neural machine translation system", arXiv:1609.08144, section 3.1.
    """

    def __init__(self, cell: AnyCell):
        super().__init__()
        require_cells(type(self).__name__, cell)
        if cell.input_size != cell.output_size:
            raise ValueError(
                f"the cell takes inputs of size {cell.input_size} and returns outputs of size {cell.output_size}, which "
                "cannot be added; make the two sizes equal"
            )
        self.cell = cell
        self.input_size = self.output_size = cell.input_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch input"], Any]:
        """Take one step."""
        y, state = self.cell(x, state)
        return x + y, state

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell, with the inputs added to its outputs."""
        inner = fused_run(self.cell, backend)
        if inner is None:
            return None

        def run(xs: Tensor, state: Any, lengths: Tensor | None, starts: "Starts[Any] | None") -> tuple[Tensor, Any]:
            ys, last = run_with_starts(inner, xs, state, lengths, starts)
            return padding.zero_beyond(xs + ys, lengths), last

        return made_of([inner], run)
