"""Input bypass: a part of the input that skips a cell and joins its output."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks, padding
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells


class InputBypass(Cell[Any]):
    r"""Route a part of the input around a cell and concatenate it to the cell's output; the state is the cell's.

    $$x_t = [a_t; z_t; b_t], \qquad (h_t, s_t) = f([a_t; b_t], s_{t-1}), \qquad y_t = [h_t; z_t]$$

    Args:
        cell: the cell $f$.
        first: index of the first entry of $z_t$ in $x_t$.
        size: size of $z_t$.

    Raises:
        TypeError: a size is not an integer.
        ValueError: the size is below 1, or `first` is outside the cell's input.
    """

    def __init__(self, cell: AnyCell, first: int, size: int):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.at_least(1, size=size)
        checks.at_least(0, first=first)
        if first > cell.input_size:
            raise ValueError(
                f"first is {first}, but the cell takes inputs of size {cell.input_size}; give an index in 0..{cell.input_size}"
            )
        self.cell = cell
        self.first, self.size = first, size
        self.input_size = cell.input_size + size
        self.output_size = cell.output_size + size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        seen, bypassing = self._split(x)
        y, state = self.cell(seen, state)
        return torch.cat([y, bypassing], dim=-1), state

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell, with the bypassing part concatenated to its outputs."""
        inner = fused_run(self.cell, backend)
        if inner is None:
            return None

        def run(xs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
            seen, bypassing = self._split(xs)
            ys, last = inner(seen, state, lengths)
            return torch.cat([ys, padding.zero_beyond(bypassing, lengths)], dim=-1), last

        return run

    def _split(self, xs: Tensor) -> tuple[Tensor, Tensor]:
        before, bypassing, after = xs.split([self.first, self.size, xs.shape[-1] - self.first - self.size], dim=-1)
        return torch.cat([before, after], dim=-1), bypassing
