"""Spread: how far the initial weights of cells reach."""

import math

from torch import nn


def gain_by_hidden_size(cell: nn.Module, hidden_size: int, gain: float) -> None:
    r"""Draw the weights of a cell from $U(\pm \text{gain} / \sqrt{\text{hidden}})$ and set its biases to 0.

    With a gain of 1 the weights begin as those of `torch.nn.RNN` do.
    """
    bound = gain / math.sqrt(hidden_size)
    for parameter in cell.parameters():
        if parameter.ndim > 1:
            nn.init.uniform_(parameter, -bound, bound)
        else:
            nn.init.zeros_(parameter)


def gain_by_inputs(module: nn.Module, gain: float) -> None:
    r"""Draw the weights of each linear map from $U(\pm \text{gain} / \sqrt{\text{inputs}})$ and set its biases to 0."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            bound = gain / math.sqrt(part.in_features)
            nn.init.uniform_(part.weight, -bound, bound)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
