"""Cell: one pure step of a recurrent network."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

S = TypeVar("S")


class Cell(nn.Module, ABC, Generic[S]):
    r"""Abstract part with a state: one call is one time step, and nothing stays behind in the module.

    $$(y_t, s_t) = f(x_t, s_{t-1})$$

    A concrete cell sets `input_size` and `output_size` and is final: wrap a cell to change it.

    Attributes:
        input_size: size of one input vector.
        output_size: size of one output vector.
    """

    input_size: int
    output_size: int

    @abstractmethod
    def init_state(self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> S:
        """Return the state before the first step, for `batch_size` sequences."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "batch input"], state: S) -> tuple[Float[Tensor, "batch output"], S]:
        """Take one step and return its output and the next state; `state` itself is left as it was."""


AnyCell = Cell[Any]
"""A cell whose kind of state does not matter to the caller."""
