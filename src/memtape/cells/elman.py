"""Elman: the plain recurrent network."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks
from memtape.core.cell import Cell
from memtape.core.state import state


@state
class HiddenState:
    """What a cell with one hidden vector remembers."""

    hidden: Float[Tensor, "*batch hidden"]


class ElmanCell(Cell[HiddenState]):
    r"""Feed the hidden vector back through one layer of tanh units; the output is the hidden vector.

    $$h_t = \tanh(W x_t + U h_{t-1} + b)$$

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        gain: how far the initial weights spread, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size below 1.

    References:
        Elman (1990), "Finding structure in time", Cognitive Science 14, doi:10.1207/s15516709cog1402_1.
    """

    def __init__(self, input_size: int, hidden_size: int, *, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.output_size = hidden_size
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_hidden = nn.Linear(hidden_size, hidden_size, bias=False)
        spread_by_hidden_size(self, gain)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        hidden = torch.tanh(self.from_input(x) + self.from_hidden(state.hidden))
        return hidden, HiddenState(hidden=hidden)


def spread_by_hidden_size(cell: Cell[Any], gain: float) -> None:
    r"""Draw the weights of a cell from $U(\pm \text{gain} / \sqrt{\text{hidden}})$ and set its biases to 0.

    With a gain of 1 the weights begin as those of `torch.nn.RNN` do.
    """
    bound = gain / math.sqrt(cell.output_size)
    for parameter in cell.parameters():
        if parameter.ndim > 1:
            nn.init.uniform_(parameter, -bound, bound)
        else:
            nn.init.zeros_(parameter)
