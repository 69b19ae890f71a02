"""Links: the temporal links of the DNC, which record the order in which slots are written."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core.state import state

S = TypeVar("S")


class Links(ABC, Generic[S]):
    """Abstract record of the order of writes, with separate links for each write head."""

    @abstractmethod
    def init_state(self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> S:
        """Return the links before the first write."""

    @abstractmethod
    def record(self, write_weights: Float[Tensor, "batch writes slots"], state: S) -> S:
        """Update the links with the write weights of a step."""

    @abstractmethod
    def follow(
        self, read_weights: Float[Tensor, "batch reads slots"], state: S
    ) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
        """Return the weights on the slots written just before and just after the slots that were read."""

    @abstractmethod
    def matrix(self, state: S) -> Float[Tensor, "batch writes slots slots"]:
        """Return the links as a matrix for each write head: row i, column j is the strength of the link from j to i."""


@state
class LinkState:
    """The link matrices and the precedence weights of the write heads."""

    links: Float[Tensor, "*batch writes slots slots"]
    """`links[b, h, i, j]` is the degree to which head `h` wrote slot `i` right after slot `j`."""
    precedence: Float[Tensor, "*batch writes slots"]


class DenseLinks(Links[LinkState]):
    """Store the strength of the link between every two slots, with the equations of `memtape.ops.links_after`.

    Memory and time of a step are quadratic in the number of slots.

    Args:
        slots: number of slots.
        write_heads: number of write heads.
    """

    def __init__(self, slots: int, write_heads: int):
        self.slots, self.write_heads = slots, write_heads

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LinkState:
        """Return zeros."""
        zeros = torch.zeros(batch_size, self.write_heads, self.slots, device=device, dtype=dtype)
        return LinkState(links=zeros[..., None].expand(-1, -1, -1, self.slots).contiguous(), precedence=zeros)

    def record(self, write_weights: Float[Tensor, "batch writes slots"], state: LinkState) -> LinkState:
        """Link the slots written now to those written last."""
        return LinkState(
            links=ops.links_after(state.links, state.precedence, write_weights),
            precedence=ops.precedence_after(state.precedence, write_weights),
        )

    def follow(
        self, read_weights: Float[Tensor, "batch reads slots"], state: LinkState
    ) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
        """Multiply the read weights by the transposed links, and by the links."""
        return ops.follow_links(state.links, read_weights)

    def matrix(self, state: LinkState) -> Float[Tensor, "batch writes slots slots"]:
        """Return the links."""
        return state.links
