"""Weight gain: initialise the weights of cells with a given scale."""

import math

from torch import nn


def gain_by_hidden_size(cell: nn.Module, hidden_size: int, gain: float) -> None:
    r"""Initialise the weights of a cell from $U(\pm \text{gain} / \sqrt{\text{hidden}})$ and its biases to 0.

    With a gain of 1 the distribution of the weights is that of `torch.nn.RNN`.
    """
    bound = gain / math.sqrt(hidden_size)
    for parameter in cell.parameters():
        if parameter.ndim > 1:
            nn.init.uniform_(parameter, -bound, bound)
        else:
            nn.init.zeros_(parameter)


def gain_by_inputs(module: nn.Module, gain: float) -> None:
    r"""Initialise the weights of each linear layer from $U(\pm \text{gain} / \sqrt{\text{inputs}})$ and its biases to 0."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            bound = gain / math.sqrt(part.in_features)
            nn.init.uniform_(part.weight, -bound, bound)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
