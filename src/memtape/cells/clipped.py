"""Clipped: a cell whose state and output are clipped."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core import checks
from memtape.core.cell import AnyCell, Cell
from memtape.core.cell_contract import require_cells


class Clipped(Cell[Any]):
    r"""Clip the output and the next state of a cell elementwise.

    $$(h_t, s_t) = \min(\max(f(x_t, s_{t-1}), -b), b)$$

    Args:
        cell: the cell $f$.
        bound: the limit $b$ of the absolute value, the same for all elements.

    Raises:
        ValueError: the bound is not positive.

    References:
        The controller of the authors' code of Graves et al. (2016), https://github.com/deepmind/dnc.
    """

    def __init__(self, cell: AnyCell, bound: float):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.positive(bound=bound)
        self.cell, self.bound = cell, bound
        self.input_size, self.output_size = cell.input_size, cell.output_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return pytree.tree_map(lambda leaf: leaf.clamp(-self.bound, self.bound), self.cell(x, state))
