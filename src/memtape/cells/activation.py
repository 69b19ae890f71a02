"""Activation: the nonlinearities that a plain unit can have, by name."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

Activation = Literal["tanh", "relu"]
"""What a plain unit makes of its weighted sum."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}

Candidate = Literal["tanh", "sigmoid"]
"""What a gated unit makes of the weighted sum that may enter its memory; the sigmoid is the textbook's."""

CANDIDATES: Mapping[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}
