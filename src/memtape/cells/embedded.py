"""Embedded: a cell whose input symbols are embedded as vectors."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.starts import Starts, made_of, run_with_starts
from memtape.core.view import Views


class Embedded(Cell[Any]):
    r"""Embed the input symbols of a cell as vectors; the state and the output are the cell's.

    $$e_t = E^\top x_t$$

    for a one-hot $x_t$. Integer symbols of shape (batch, time) are looked up in the table $E$ without one-hot vectors.

    Args:
        cell: the cell that takes $e_t$.
        symbols: number of symbols, the size of $x_t$.
        learned: whether the table is trained (a parameter) or keeps its random initial values (a buffer).

    Raises:
        ValueError: the number of symbols is below 1.

    References:
        Bengio, Ducharme, Vincent & Jauvin (2003), "A neural probabilistic language model", JMLR 3, section 2.
    """

    table: Tensor

    def __init__(self, cell: AnyCell, symbols: int, *, learned: bool = True):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.module_sizes(self, symbols=symbols)
        self.cell = cell
        self.input_size, self.output_size = symbols, cell.output_size
        table = torch.randn(symbols, cell.input_size)
        if learned:
            self.table = nn.Parameter(table)
        else:
            self.register_buffer("table", table)

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return self.cell(x @ self.table, state)

    def read(self, symbols: Int[Tensor, "batch time"]) -> tuple[AnyCell, Float[Tensor, "batch time embedding"]]:
        """Return the inner cell and the embedding vectors of the symbols."""
        return self.cell, functional.embedding(symbols, self.table)

    def views(self, x: Float[Tensor, "batch input"], state: Any) -> Views:
        """Return the views of the inner cell."""
        return self.cell.views(x @ self.table, state)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell, applied to the embedding vectors."""
        inner = fused_run(self.cell, backend)
        if inner is None:
            return None

        def run(xs: Tensor, state: Any, lengths: Tensor | None, starts: "Starts[Any] | None") -> tuple[Tensor, Any]:
            return run_with_starts(inner, xs @ self.table, state, lengths, starts)

        return made_of([inner], run)
