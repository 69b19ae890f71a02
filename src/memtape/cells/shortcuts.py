"""Shortcuts: stacked cells with shortcut connections from the input and to the output."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.stacked import StackedState
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.step_by_step import fused_or_steps


class Shortcuts(Cell[StackedState]):
    r"""Stack cells so that each receives the input and the output of the cell below; the output concatenates all of theirs.

    $$h^l_t = f^l\bigl([x_t; h^{l-1}_t], h^l_{t-1}\bigr), \qquad y_t = [h^1_t; \dots; h^L_t]$$

    Args:
        layers: the cells, the lowest first; the lowest one receives the input alone.

    Raises:
        ValueError: there is no cell, or the input size of a cell is not the sum of the sizes of the input and of the output
            below it.

    References:
        Graves, Mohamed & Hinton (2013), "Speech recognition with deep recurrent neural networks", arXiv:1303.5778; the deep
        controller of Graves et al. (2016), Nature 538, doi:10.1038/nature20101, Methods, "Controller network".
    """

    def __init__(self, layers: Sequence[AnyCell]):
        super().__init__()
        require_cells(type(self).__name__, *layers)
        if not layers:
            raise ValueError("layers is empty, but a stack needs at least one cell; give one or more")
        self.input_size = layers[0].input_size
        below = 0
        for number, layer in enumerate(layers):
            if layer.input_size != self.input_size + below:
                raise ValueError(
                    f"layer {number} takes inputs of size {layer.input_size}, but it receives the input ({self.input_size}) "
                    f"and the output of the layer below it ({below}), so its size must be {self.input_size + below}"
                )
            below = layer.output_size
        self.layers: Sequence[AnyCell] = nn.ModuleList(layers)  # type: ignore[assignment]
        self.output_size = sum(layer.output_size for layer in layers)

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
        outputs: list[Tensor] = []
        states = []
        for layer, old in zip(self.layers, state.layers, strict=True):
            y, new = layer(torch.cat([x, *outputs[-1:]], dim=-1), old)
            outputs.append(y)
            states.append(new)
        return torch.cat(outputs, dim=-1), StackedState(layers=tuple(states))

    def fused(self, backend: str) -> FusedRun[StackedState] | None:
        """Return the fused kernels of the layers in sequence; a layer without one runs step by step."""
        if all(fused_run(layer, backend) is None for layer in self.layers):
            return None
        parts = [fused_or_steps(layer, backend) for layer in self.layers]

        def run(xs: Tensor, state: StackedState, lengths: Tensor | None) -> tuple[Tensor, StackedState]:
            outputs: list[Tensor] = []
            states: list[Any] = []
            for part, old in zip(parts, state.layers, strict=True):
                ys, new = part(torch.cat([xs, *outputs[-1:]], dim=-1), old, lengths)
                outputs.append(ys)
                states.append(new)
            return torch.cat(outputs, dim=-1), StackedState(layers=tuple(states))

        return run
