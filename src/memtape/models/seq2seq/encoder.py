"""Encoder: unidirectional or bidirectional recurrent layers."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memtape.cells import Bidirectional, GRUCell, Layers, LSTMCell
from memtape.cells.bidirectional import BidirectionalState
from memtape.core import checks
from memtape.core.recurrent import Recurrent

Kind = Literal["lstm", "gru"]
KINDS = {"lstm": LSTMCell, "gru": GRUCell}


class Encoder(nn.Module):
    r"""Encode a sequence with layers of gated cells; a backward direction starts at the last valid step of each row.

    $$h_j = [\overrightarrow{h_j}; \overleftarrow{h_j}], \qquad c = [\overrightarrow{h_n}; \overleftarrow{h_1}]$$

    Args:
        input_size: size of one input vector.
        hidden_size: number of units of each layer and direction.
        cell: "lstm" or "gru".
        layers: number of layers.
        bidirectional: use a forward and a backward direction in each layer.
        dropout: in training, the probability that an entry between two layers is dropped.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the cell is unknown, or the dropout is outside 0..1.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        cell: Kind = "lstm",
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size, layers=layers)
        checks.one_of(tuple(KINDS), cell=cell)
        checks.probabilities(dropout=dropout)
        self.output_size = hidden_size * (2 if bidirectional else 1)
        sizes = [input_size] + [self.output_size] * (layers - 1)
        kind = KINDS[cell]
        self.layers = Layers(
            [
                Bidirectional(kind(below, hidden_size), kind(below, hidden_size))
                if bidirectional
                else Recurrent(kind(below, hidden_size))
                for below in sizes
            ],
            dropout=dropout,
        )

    def forward(
        self, xs: Float[Tensor, "batch time input"], lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch time output"], Float[Tensor, "batch output"]]:
        """Return the vectors of all steps, zero beyond a row's length, and the last hidden vectors of the top layer."""
        ys, state = self.layers(xs, lengths=lengths)
        top = state.layers[-1]
        ends = (top.forwards, top.backwards) if isinstance(top, BidirectionalState) else (top,)
        return ys, torch.cat([end.hidden for end in ends], dim=-1)
