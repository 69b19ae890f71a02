"""Readout: a linear layer on top of a cell."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks, padding
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.known_parts import are_linear
from memtape.core.starts import Starts, made_of, run_with_starts
from memtape.core.view import Views


class Readout(Cell[Any]):
    r"""Apply a linear layer to the output of a cell at every step; the state is the cell's.

    $$y_t = V h_t + c$$

    Args:
        cell: the cell whose output is $h_t$.
        output_size: size of $y_t$.

    Raises:
        ValueError: the output size is below 1.
    """

    def __init__(self, cell: AnyCell, output_size: int):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.module_sizes(self, output_size=output_size)
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = output_size
        self.to_output = nn.Linear(cell.output_size, output_size)
        nn.init.xavier_uniform_(self.to_output.weight)
        nn.init.zeros_(self.to_output.bias)

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        hidden, state = self.cell(x, state)
        return self.to_output(hidden), state

    def views(self, x: Float[Tensor, "batch input"], state: Any) -> Views:
        """Return the views of the inner cell."""
        return self.cell.views(x, state)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell, followed by the linear layer over all steps."""
        inner = fused_run(self.cell, backend) if are_linear(self.to_output) else None
        if inner is None:
            return None

        def run(xs: Tensor, state: Any, lengths: Tensor | None, starts: "Starts[Any] | None") -> tuple[Tensor, Any]:
            hidden, last = run_with_starts(inner, xs, state, lengths, starts)
            return padding.zero_beyond(self.to_output(hidden), lengths), last

        return made_of([inner], run)
