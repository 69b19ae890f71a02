"""Spread: where the weights of a tree cell begin."""

import math

from torch import nn


def spread_by_inputs(module: nn.Module, gain: float) -> None:
    r"""Draw the weights of each linear map from $U(\pm \text{gain} / \sqrt{\text{inputs}})$ and set its biases to 0."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            bound = gain / math.sqrt(part.in_features)
            nn.init.uniform_(part.weight, -bound, bound)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
