"""Lookup: where a network looked in a story to answer a question."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core.state import state


@state
class Lookup:
    """Where a network looked in the story to answer the question.

    It looks several times: once in each hop, or once into each slot, as `LooksUp.looks` names it.
    """

    weights: Float[Tensor, "batch looks sentences"]
    """The weight of each sentence in each look; 0 for absent sentences and those that the memory no longer holds."""
    shares: Float[Tensor, "batch looks"]
    """The share of each look in the answer; 1 for every hop."""


@runtime_checkable
class LooksUp(Protocol):
    """A network that reads stories, and returns its outputs and a `Lookup`.

    Attributes:
        looks: what one look is, a "hop" or a "slot".
    """

    looks: str

    def __call__(self, stories: Any, *, lengths: Any = None) -> tuple[Tensor, Lookup]:
        """Return the logits of the answers, and where the network looked; the lengths are the numbers of answers."""
        ...


def lookup_in_hops(weights: Sequence[Float[Tensor, "batch sentences"]]) -> Lookup:
    """Return the record of a network that reads the sentences in hops.

    Args:
        weights: the weights of the sentences in each hop.
    """
    stacked = torch.stack(list(weights), dim=1)
    return Lookup(weights=stacked, shares=stacked.new_ones(stacked.shape[:2]))
