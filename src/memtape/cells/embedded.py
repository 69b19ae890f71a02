"""Embedded: a cell that reads symbols by a table of vectors."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks
from memtape.core.cell import AnyCell, Cell, FusedRun
from memtape.core.starts import Starts, made_of, run_with_starts


class Embedded(Cell[Any]):
    r"""Give a cell a vector for each symbol; the state and the output are the cell's.

    $$e_t = E^\top x_t$$

    for a one-hot $x_t$; a sequence of symbols is looked up in the table $E$ as a whole, without one-hot vectors.

    Args:
        cell: the cell that takes $e_t$.
        symbols: how many symbols there are, the size of $x_t$.
        learned: learn the table (a parameter), or leave it as it was drawn (a buffer).

    Raises:
        ValueError: no symbol.

    References:
        Bengio, Ducharme, Vincent & Jauvin (2003), "A neural probabilistic language model", JMLR 3, section 2.
    """

    table: Tensor

    def __init__(self, cell: AnyCell, symbols: int, *, learned: bool = True):
        super().__init__()
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
        """Return the cell inside, and the vectors of the symbols."""
        return self.cell, functional.embedding(symbols, self.table)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the twin of the cell, over the vectors."""
        inner = self.cell.fused(backend)
        if inner is None:
            return None

        def whole(xs: Tensor, state: Any, lengths: Tensor | None, starts: Starts[Any] | None) -> tuple[Tensor, Any]:
            return run_with_starts(inner, xs @ self.table, state, lengths, starts)

        return made_of([inner], whole)
