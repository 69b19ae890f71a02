"""Pairs: sequences of symbols beside the sequences that they are to be turned into."""

from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from memtape.core.state import state

BOUNDARY = 0
"""The target symbol that ends every sequence, and is given in the place of a symbol before the first."""


@state
class Pairs:
    """What a network that turns sequences into sequences is given; rows that end early are padded with anything."""

    source: Int[Tensor, "batch source_time"]
    source_lengths: Int[Tensor, " batch"]
    """How many symbols of each source count."""
    given: Int[Tensor, "batch time"]
    """The target one step late, beginning with `BOUNDARY`: what is said at each step sees the true symbol before it."""


def given_for(targets: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """Return what is given while the targets are said: the targets one step late, beginning with `BOUNDARY`.

    Args:
        targets: the symbols of each row, `BOUNDARY` at its end.

    Example:
        >>> import torch
        >>> given_for(torch.tensor([[3, 5, 0], [4, 0, 0]]))
        tensor([[0, 3, 5],
                [0, 4, 0]])
    """
    return functional.pad(targets[:, :-1], (1, 0), value=BOUNDARY)
