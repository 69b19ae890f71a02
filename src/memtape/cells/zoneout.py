"""Zoneout: units keep their previous value at random."""

import dataclasses
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells


class Zoneout(Cell[Any]):
    r"""Let random entries of the hidden vector, and of the memory cell of an LSTM, keep their previous value.

    $$h_t = d_t \odot h_{t-1} + (1 - d_t) \odot \tilde h_t, \qquad d_t \sim \text{Bernoulli}(p)$$

    Here $\tilde h_t$ is the next hidden vector of the cell without zoneout. In training the masks $d_t$ are drawn anew at each
    step; in evaluation they are replaced by their mean $p$.

    Args:
        cell: a cell whose output is the vector `hidden` of its state, such as `LSTMCell` and `GRUCell`.
        hidden: the probability $p$ for the hidden vector.
        memory: the probability $p$ for the memory cell of an LSTM.

    Raises:
        ValueError: a probability is outside 0..1, or it is above 0 and the state of the cell lacks the vector.

    References:
        Krueger et al. (2017), "Zoneout: regularizing RNNs by randomly preserving hidden activations",
        arXiv:1606.01305.
    """

    def __init__(self, cell: AnyCell, *, hidden: float = 0.05, memory: float = 0.0):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.probabilities(hidden=hidden, memory=memory)
        example = cell.init_state(1)
        for rate, field in ((hidden, "hidden"), (memory, "cell")):
            if rate and not isinstance(getattr(example, field, None), Tensor):
                raise ValueError(
                    f"the state of {type(cell).__name__} has no vector {field!r}; wrap a cell that has it, or give a "
                    "probability of 0"
                )
        self.cell = cell
        self.rates = {field: rate for field, rate in (("hidden", hidden), ("cell", memory)) if rate}
        self.input_size = cell.input_size
        self.output_size = cell.output_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the cell."""
        return self.cell.init_state(batch_size, device=device, dtype=dtype)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        y, moved = self.cell(x, state)
        changes = {
            field: self._mixed(rate, getattr(state, field), getattr(moved, field)) for field, rate in self.rates.items()
        }
        return changes.get("hidden", y), dataclasses.replace(moved, **changes)

    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel of the inner cell if both probabilities are 0, else None."""
        return None if self.rates else fused_run(self.cell, backend)

    def _mixed(self, rate: float, old: Tensor, new: Tensor) -> Tensor:
        if self.training:
            return torch.where(torch.rand_like(new) < rate, old.to(new.dtype), new)
        return rate * old + (1 - rate) * new
