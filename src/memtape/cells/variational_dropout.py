"""Variational dropout: one dropout mask for all steps of a sequence."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.cells.gru import GRUCell
from memtape.cells.leaky import LeakyCell
from memtape.core import checks, padding, state_tree
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.state import state


@state
class DroppedState:
    """The state of the cell and, in training, the dropout masks of the sequence."""

    cell: Any
    masks: dict[str, Tensor]


class VariationalDropout(Cell[DroppedState]):
    r"""Drop the same entries of the inputs, outputs and hidden vectors of a cell at every step of a sequence.

    $$(h_t, s_t) = f(m_x \odot x_t, m_s \odot s_{t-1}), \qquad y_t = m_y \odot h_t$$

    In training, the masks are drawn with the initial state and are part of the state, so consecutive chunks of one sequence
    use the same masks. Kept entries are divided by the probability of keeping them; in evaluation the cell runs unchanged.

    Args:
        cell: any cell.
        inputs: the probability that an entry of $x_t$ is dropped.
        outputs: the probability that an entry of the output $h_t$ is dropped.
        hidden: the probability that an entry of a vector `hidden` of the state is dropped before the next step; a memory
            cell is never dropped.

    Raises:
        ValueError: a probability is outside 0..1, or `hidden` is above 0 for a cell without a hidden vector or one whose
            hidden vector is its memory.

    References:
        Gal & Ghahramani (2016), "A theoretically grounded application of dropout in recurrent neural networks",
        arXiv:1512.05287.
    """

    def __init__(self, cell: AnyCell, *, inputs: float = 0.0, outputs: float = 0.0, hidden: float = 0.0):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.probabilities(inputs=inputs, outputs=outputs, hidden=hidden)
        if hidden and not _hidden(cell.init_state(1)):
            raise ValueError(
                f"hidden is {hidden}, but the state of {type(cell).__name__} has no vector 'hidden'; give a hidden of 0"
            )
        memory = next((type(part).__name__ for part in cell.modules() if isinstance(part, GRUCell | LeakyCell)), None)
        if hidden and memory:
            raise ValueError(
                f"the hidden vector of {memory} is its memory, which a mask at every step would erase; give a hidden of 0 "
                "and use WeightDrop or, in a GRU, recurrent_dropout"
            )
        self.cell = cell
        self.rates = {"inputs": inputs, "outputs": outputs, "hidden": hidden}
        self.input_size = cell.input_size
        self.output_size = cell.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> DroppedState:
        """Return the initial state of the cell and, in training, new dropout masks for each sequence."""
        begin = self.cell.init_state(batch_size, device=device, dtype=dtype)
        shapes: dict[str, tuple[int, ...]] = {
            "inputs": (batch_size, self.input_size),
            "outputs": (batch_size, self.output_size),
        }
        shapes |= {f"hidden.{name}": tuple(leaf.shape) for name, leaf in _hidden(begin).items()}
        rates = {name: self.rates[name.partition(".")[0]] for name in shapes}
        masks = {
            name: functional.dropout(torch.ones(shape, device=device, dtype=dtype), rates[name])
            for name, shape in shapes.items()
            if self.training and rates[name]
        }
        return DroppedState(cell=begin, masks=masks)

    def forward(
        self, x: Float[Tensor, "batch input"], state: DroppedState
    ) -> tuple[Float[Tensor, "batch output"], DroppedState]:
        """Take one step."""
        masks, before = state.masks, state.cell
        dropped = {
            name: leaf * masks[f"hidden.{name}"] for name, leaf in _hidden(before).items() if f"hidden.{name}" in masks
        }
        if dropped:
            before = state_tree.from_named_tensors(state_tree.named_leaves(before) | dropped, before)
        y, moved = self.cell(x * masks["inputs"] if "inputs" in masks else x, before)
        return y * masks["outputs"] if "outputs" in masks else y, DroppedState(cell=moved, masks=masks)

    def fused(self, backend: str) -> FusedRun[DroppedState] | None:
        """Return the fused kernel of the inner cell, or None in training if hidden vectors are dropped."""
        inner = None if self.training and self.rates["hidden"] else fused_run(self.cell, backend)
        if inner is None:
            return None

        def run(xs: Tensor, state: DroppedState, lengths: Tensor | None) -> tuple[Tensor, DroppedState]:
            masks = {name: mask[:, None] for name, mask in state.masks.items()}
            ys, last = inner(xs * masks["inputs"] if "inputs" in masks else xs, state.cell, lengths)
            ys = ys * masks["outputs"] if "outputs" in masks else ys
            return padding.zero_beyond(ys, lengths), DroppedState(cell=last, masks=state.masks)

        return run


def _hidden(state: Any) -> dict[str, Tensor]:
    """Return the hidden vectors of a state, keyed by their paths."""
    return {name: leaf for name, leaf in state_tree.named_leaves(state).items() if name.rpartition(".")[2] == "hidden"}
