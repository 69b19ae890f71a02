"""Learned initial state: a cell whose initial state is trained."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from memtape.cells.variational_dropout import VariationalDropout
from memtape.core import state_tree
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells


class LearnedInitialState(Cell[Any]):
    """Train the initial state of a cell as bias vectors, the same for every sequence; the step is the cell's.

    The biases are initialised to the cell's own initial state.

    Args:
        cell: any cell whose initial state is not random.

    Raises:
        ValueError: a part of the cell's initial state is random, as in `VariationalDropout`.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4: controllers and the
        LSTM baseline start each sequence from learned biases.
    """

    def __init__(self, cell: AnyCell):
        super().__init__()
        require_cells(type(self).__name__, cell)
        if any(isinstance(part, VariationalDropout) for part in cell.modules()):
            raise ValueError(
                "the cell contains a VariationalDropout, whose masks are drawn with the initial state and cannot be learned; "
                "wrap VariationalDropout around LearnedInitialState instead"
            )
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = cell.output_size
        self.biases = nn.ParameterList(leaf.detach()[0].clone() for leaf in state_tree.leaves(cell.init_state(1)))

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the learned state, expanded to the batch."""
        rows = [bias.to(device=device, dtype=dtype).expand(batch_size, *bias.shape) for bias in self.biases]
        return pytree.tree_unflatten(rows, pytree.tree_structure(self.cell.init_state(1)))

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return self.cell(x, state)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell."""
        return fused_run(self.cell, backend)
