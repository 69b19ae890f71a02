"""Stacked: a stack of cells."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.starts import Starts, made_of, run_with_starts
from memtape.core.state import state
from memtape.core.step_by_step import fused_or_steps
from memtape.core.view import Views


@state
class StackedState:
    """The states of all layers, the lowest first."""

    layers: tuple[Any, ...]


class Stacked(Cell[StackedState]):
    """Stack cells: each receives the output of the cell below, and the output is that of the top cell.

    A stack of recurrent cells is deep in its state. A `FeedforwardCell` below or above a cell makes the input-to-hidden or
    hidden-to-output map deep; `DeepTransitionCell` makes the hidden-to-hidden map deep.

    Args:
        layers: the cells, the lowest first.
        dropout: in training, the probability that an entry passed from one cell to the next is dropped, drawn anew at
            each step.

    Raises:
        ValueError: there is no cell, the sizes of two neighbours differ, or the dropout is outside 0..1.

    References:
        Three kinds of depth: Pascanu, Gulcehre, Cho & Bengio (2014), "How to construct deep recurrent neural networks",
        arXiv:1312.6026; dropout between layers only: Zaremba, Sutskever & Vinyals (2014), "Recurrent neural network
        regularization", arXiv:1409.2329.
    """

    def __init__(self, layers: Sequence[AnyCell], *, dropout: float = 0.0):
        super().__init__()
        require_cells(type(self).__name__, *layers)
        checks.probabilities(dropout=dropout)
        if not layers:
            raise ValueError("layers is empty, but a stack needs at least one cell; give one or more")
        for number, (below, above) in enumerate(pairwise(layers)):
            if below.output_size != above.input_size:
                raise ValueError(
                    f"layer {number + 1} takes inputs of size {above.input_size}, but layer {number} below it returns "
                    f"{below.output_size}; make the two sizes equal"
                )
        self.layers: Sequence[AnyCell] = nn.ModuleList(layers)  # type: ignore[assignment]
        self.dropout = dropout
        self.input_size = layers[0].input_size
        self.output_size = layers[-1].output_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> StackedState:
        """Return the initial states of all layers."""
        return StackedState(
            layers=tuple(layer.init_state(batch_size, device=device, dtype=dtype) for layer in self.layers)
        )

    def forward(
        self, x: Float[Tensor, "batch input"], state: StackedState
    ) -> tuple[Float[Tensor, "batch output"], StackedState]:
        """Take one step through all layers."""
        states = []
        for number, (layer, old) in enumerate(zip(self.layers, state.layers, strict=True)):
            x, new = layer(self._passed(number, x), old)
            states.append(new)
        return x, StackedState(layers=tuple(states))

    def views(self, x: Float[Tensor, "batch input"], state: StackedState) -> Views:
        """Return the views of the layer that has some; () if several layers do, whose views may have equal names."""
        found: list[Views] = []
        for number, (layer, old) in enumerate(zip(self.layers, state.layers, strict=True)):
            x = self._passed(number, x)
            found.append(layer.views(x, old))
            x, _ = layer(x, old)
        shown = [views for views in found if views]
        return shown[0] if len(shown) == 1 else ()

    def fused(self, backend: str) -> FusedRun[StackedState] | None:
        """Return the fused kernels of the layers in sequence; a layer without one runs step by step."""
        if all(fused_run(layer, backend) is None for layer in self.layers):
            return None
        parts = [fused_or_steps(layer, backend) for layer in self.layers]

        def run(
            xs: Tensor, state: StackedState, lengths: Tensor | None, starts: "Starts[StackedState] | None"
        ) -> tuple[Tensor, StackedState]:
            states = []
            for number, (part, old) in enumerate(zip(parts, state.layers, strict=True)):
                own = starts and starts.of(starts.state.layers[number])
                xs, new = run_with_starts(part, self._passed(number, xs), old, lengths, own)
                states.append(new)
            return xs, StackedState(layers=tuple(states))

        return made_of(parts, run)

    def _passed(self, number: int, x: Tensor) -> Tensor:
        """Return the input of a layer, after dropout."""
        return functional.dropout(x, self.dropout, self.training) if self.dropout and number else x
