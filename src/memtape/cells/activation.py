"""Activation: the activation functions of plain and gated units, by name."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

Activation = Literal["tanh", "relu"]
"""The activation function of a plain unit."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}

Unit = Literal["tanh", "relu", "sigmoid"]
"""The activation function of a layer of units, with or without recurrent connections."""

UNITS: Mapping[str, Callable[[Tensor], Tensor]] = {**ACTIVATIONS, "sigmoid": torch.sigmoid}

Candidate = Literal["tanh", "sigmoid"]
"""The activation function of the candidate of a gated unit; the textbook prints the sigmoid, libraries compute tanh."""

CANDIDATES: Mapping[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}
