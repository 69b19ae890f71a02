"""Initial: let a cell learn the state that it begins from."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from memtape.cells.variational_dropout import VariationalDropout
from memtape.core import state_tree
from memtape.core.cell import AnyCell, Cell, FusedRun


class LearnedInitialState(Cell[Any]):
    """Give a cell an initial state of trained biases, the same for every sequence; the step is the cell's.

    The biases begin where the cell's own initial state is.

    Args:
        cell: any cell whose initial state is not drawn.

    Raises:
        ValueError: a cell that draws a part of its initial state, as `VariationalDropout` does.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4: controllers and the
        LSTM baseline begin each sequence at learned biases.
    """

    def __init__(self, cell: AnyCell):
        super().__init__()
        if any(isinstance(part, VariationalDropout) for part in cell.modules()):
            raise ValueError(
                "the cell holds a VariationalDropout, whose masks are drawn with the initial state and cannot be learned; wrap "
                "VariationalDropout around LearnedInitialState instead"
            )
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = cell.output_size
        self.biases = nn.ParameterList(leaf.detach()[0].clone() for leaf in state_tree.leaves(cell.init_state(1)))

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the learned state, repeated for every sequence."""
        rows = [bias.to(device=device, dtype=dtype).expand(batch_size, *bias.shape) for bias in self.biases]
        return pytree.tree_unflatten(rows, pytree.tree_structure(self.cell.init_state(1)))

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return self.cell(x, state)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the twin of the cell."""
        return self.cell.fused(backend)
