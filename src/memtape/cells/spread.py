"""Spread: how far the initial weights of recurrent cells reach."""

import math

from torch import nn


def spread_by_hidden_size(cell: nn.Module, hidden_size: int, gain: float) -> None:
    r"""Draw the weights of a cell from $U(\pm \text{gain} / \sqrt{\text{hidden}})$ and set its biases to 0.

    With a gain of 1 the weights begin as those of `torch.nn.RNN` do.
    """
    bound = gain / math.sqrt(hidden_size)
    for parameter in cell.parameters():
        if parameter.ndim > 1:
            nn.init.uniform_(parameter, -bound, bound)
        else:
            nn.init.zeros_(parameter)
