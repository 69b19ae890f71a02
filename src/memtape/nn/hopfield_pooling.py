"""Hopfield pooling: learned queries gather what they need from a set of patterns."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from memtape.core import checks
from memtape.nn.hopfield import DEVIATION, Hopfield


class HopfieldPooling(nn.Module):
    """Reduce a set of patterns to one vector, by learned state patterns and a `Hopfield` layer.

    Args:
        input_size: size of a pattern of the set.
        quantity: number of learned state patterns, whose outputs are concatenated.
        hidden_size: size of a query and of a key of each head; None means `input_size` / `heads`.
        output_size: size of the output of each state pattern; None means `input_size`.
        heads: number of heads.
        beta: inverse temperature; None means 1 over the square root of the hidden size.
        updates: number of updates; None repeats them until convergence.
        normalise: layer-normalise patterns and state patterns.
        dropout: in training, the probability that a weight of the last update is dropped.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a number is outside its range.

    Example:
        >>> import torch
        >>> from memtape.nn import HopfieldPooling
        >>> HopfieldPooling(4, quantity=2)(torch.zeros(3, 10, 4)).shape
        torch.Size([3, 8])

    References:
        Ramsauer et al. (2020), "Hopfield networks is all you need", arXiv:2008.02217, section 3.
    """

    def __init__(
        self,
        input_size: int,
        *,
        quantity: int = 1,
        hidden_size: int | None = None,
        output_size: int | None = None,
        heads: int = 1,
        beta: float | None = None,
        updates: int | None = 1,
        normalise: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        checks.module_sizes(self, quantity=quantity)
        self.hopfield = Hopfield(
            input_size,
            hidden_size=hidden_size,
            output_size=output_size,
            heads=heads,
            beta=beta,
            updates=updates,
            normalise=normalise,
            dropout=dropout,
        )
        self.states = nn.Parameter(DEVIATION * torch.randn(quantity, input_size))

    def forward(
        self, stored: Float[Tensor, "batch slots input"], *, present: Bool[Tensor, "batch slots"] | None = None
    ) -> Float[Tensor, "batch output"]:
        """Return the outputs of all state patterns, concatenated.

        Args:
            stored: the patterns of each set.
            present: True at the patterns that are present, False at padding; None means all.
        """
        return self.hopfield(self.states.expand(len(stored), -1, -1), stored, present=present).flatten(1)
