"""Concatenated input: a cell whose output also contains its input."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import padding
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells


class ConcatenatedInput(Cell[Any]):
    r"""Concatenate the input and the output of a cell, so that a readout receives both; the state is the cell's.

    $$y_t = [x_t; h_t]$$

    Args:
        cell: any cell.

    References:
        Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks", GMD report 148: the
        readout of an echo state network also receives the input.
    """

    def __init__(self, cell: AnyCell):
        super().__init__()
        require_cells(type(self).__name__, cell)
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = cell.input_size + cell.output_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        hidden, state = self.cell(x, state)
        return torch.cat([x, hidden], dim=-1), state

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell, with the inputs concatenated to its outputs."""
        inner = fused_run(self.cell, backend)
        if inner is None:
            return None

        def run(xs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
            ys, last = inner(xs, state, lengths)
            return torch.cat([padding.zero_beyond(xs, lengths), ys], dim=-1), last

        return run
