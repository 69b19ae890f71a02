"""InputBypass: a part of the input that goes around a cell."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks, padding
from memtape.core.cell import AnyCell, Cell, FusedRun


class InputBypass(Cell[Any]):
    r"""Hide a part of the input from a cell, and put it beside the cell's output; the state is the cell's.

    $$x_t = [a_t; z_t; b_t], \qquad (h_t, s_t) = f([a_t; b_t], s_{t-1}), \qquad y_t = [h_t; z_t]$$

    Args:
        cell: the cell $f$.
        first: where $z_t$ begins in $x_t$.
        size: size of $z_t$.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a part of size below 1, or one that begins outside the cell's input.
    """

    def __init__(self, cell: AnyCell, first: int, size: int):
        super().__init__()
        checks.at_least(1, size=size)
        checks.at_least(0, first=first)
        if first > cell.input_size:
            raise ValueError(
                f"first is {first}, but the cell takes inputs of size {cell.input_size}; give a place within them"
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
        seen, hidden = self._parted(x)
        y, state = self.cell(seen, state)
        return torch.cat([y, hidden], dim=-1), state

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the twin of the cell, with the hidden part beside its outputs."""
        inner = self.cell.fused(backend)
        if inner is None:
            return None

        def whole(xs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
            seen, hidden = self._parted(xs)
            ys, last = inner(seen, state, lengths)
            return torch.cat([ys, padding.zero_beyond(hidden, lengths)], dim=-1), last

        return whole

    def _parted(self, xs: Tensor) -> tuple[Tensor, Tensor]:
        before, hidden, after = xs.split([self.first, self.size, xs.shape[-1] - self.first - self.size], dim=-1)
        return torch.cat([before, after], dim=-1), hidden
