"""Encoder: recurrent layers that read a sequence, from one end or from both."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memtape.cells import GRUCell, LSTMCell
from memtape.core import checks
from memtape.core.cell import AnyCell
from memtape.core.padding import reversed_rows
from memtape.core.unroll import unroll

Kind = Literal["lstm", "gru"]
KINDS = {"lstm": LSTMCell, "gru": GRUCell}


class Encoder(nn.Module):
    r"""Read a sequence by layers of gated cells; each layer may read backwards too, from each row's own end.

    $$h_j = [\overrightarrow{h_j}; \overleftarrow{h_j}], \qquad c = [\overrightarrow{h_n}; \overleftarrow{h_1}]$$

    Args:
        input_size: size of one input vector.
        hidden_size: number of units of each layer and direction.
        cell: "lstm" or "gru".
        layers: number of layers.
        bidirectional: read from both ends.
        dropout: probability that a number between two layers is dropped in training.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, an unknown cell, or a dropout outside 0..1.
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
        self.forwards: Sequence[AnyCell] = _cells(cell, sizes, hidden_size)
        self.backwards: Sequence[AnyCell] = _cells(cell, sizes if bidirectional else [], hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, xs: Float[Tensor, "batch time input"], lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch time output"], Float[Tensor, "batch output"]]:
        """Return the vectors of all steps, zero beyond a row's length, and the last ones of both directions of the top."""
        ends: list[Tensor] = []
        for number, cell in enumerate(self.forwards):
            seen = self.dropout(xs) if number else xs
            xs, state, _ = unroll(cell, seen, lengths=lengths)
            ends = [state.hidden]
            if self.backwards:
                back = reversed_rows(seen, lengths)
                ys, state, _ = unroll(self.backwards[number], back, lengths=lengths)
                xs = torch.cat([xs, reversed_rows(ys, lengths)], dim=-1)
                ends.append(state.hidden)
        return xs, torch.cat(ends, dim=-1)


def _cells(kind: Kind, sizes: list[int], hidden_size: int) -> Any:
    return nn.ModuleList(KINDS[kind](below, hidden_size) for below in sizes)
