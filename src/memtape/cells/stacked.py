"""Stacked: several cells on top of each other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core.cell import AnyCell, Cell
from memtape.core.state import state


@state
class StackedState:
    """The states of all layers, the lowest first."""

    layers: tuple[Any, ...]


class Stacked(Cell[StackedState]):
    """Feed the output of each cell to the cell above it; the output is the top cell's.

    Args:
        layers: the cells, the lowest first.

    Raises:
        ValueError: no cell, or two neighbours whose sizes do not meet.
    """

    def __init__(self, layers: Sequence[AnyCell]):
        super().__init__()
        if not layers:
            raise ValueError("layers is empty, but a stack needs at least one cell; give one or more")
        for number, (below, above) in enumerate(pairwise(layers)):
            if below.output_size != above.input_size:
                raise ValueError(
                    f"layer {number + 1} takes inputs of size {above.input_size}, but layer {number} below it returns "
                    f"{below.output_size}; make the two sizes equal"
                )
        self.layers: Sequence[AnyCell] = nn.ModuleList(layers)  # type: ignore[assignment]
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
        for layer, old in zip(self.layers, state.layers, strict=True):
            x, new = layer(x, old)
            states.append(new)
        return x, StackedState(layers=tuple(states))
