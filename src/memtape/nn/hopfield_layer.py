"""Hopfield layer: a look-up in learned patterns."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks
from memtape.nn.hopfield import DEVIATION, Hopfield


class HopfieldLayer(nn.Module):
    """Look state patterns up in learned stored patterns, by a `Hopfield` layer.

    Args:
        input_size: size of a state pattern and of a stored pattern.
        quantity: number of learned stored patterns.
        separate_values: learn other patterns as pattern projections, instead of those that are stored.
        hidden_size: size of a query and of a key of each head; None means `input_size` / `heads`.
        output_size: size of one output; None means `input_size`.
        heads: number of heads.
        beta: inverse temperature; None means 1 over the square root of the hidden size.
        updates: number of updates; None repeats them until convergence.
        normalise: layer-normalise state patterns and stored patterns.
        dropout: in training, the probability that a weight of the last update is dropped.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a number is outside its range.

    Example:
        >>> import torch
        >>> from memtape.nn import HopfieldLayer
        >>> HopfieldLayer(4, quantity=20, output_size=3)(torch.zeros(2, 5, 4)).shape
        torch.Size([2, 5, 3])

    References:
        Ramsauer et al. (2020), "Hopfield networks is all you need", arXiv:2008.02217, section 3.
    """

    def __init__(
        self,
        input_size: int,
        *,
        quantity: int = 1,
        separate_values: bool = False,
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
        self.stored = nn.Parameter(DEVIATION * torch.randn(quantity, input_size))
        self.values = nn.Parameter(DEVIATION * torch.randn(quantity, input_size)) if separate_values else None

    def forward(self, states: Float[Tensor, "batch queries input"]) -> Float[Tensor, "batch queries output"]:
        """Return the values of the stored patterns that are associated with state patterns.

        Args:
            states: the state patterns.
        """
        stored, values = (
            None if patterns is None else patterns.expand(len(states), -1, -1)
            for patterns in (self.stored, self.values)
        )
        return self.hopfield(states, stored, values)
