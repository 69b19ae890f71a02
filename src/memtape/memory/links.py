"""Links: the part of a Differentiable Neural Computer that knows in which order slots were written."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core.state import state

S = TypeVar("S")


class Links(ABC, Generic[S]):
    """Abstract record keeper of the order of writes: each write head has links of its own."""

    @abstractmethod
    def init_state(self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> S:
        """Return the links of a memory that was never written."""

    @abstractmethod
    def record(self, write_weights: Float[Tensor, "batch writes slots"], state: S) -> S:
        """Note where the write heads write now."""

    @abstractmethod
    def follow(
        self, read_weights: Float[Tensor, "batch reads slots"], state: S
    ) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
        """Return the slots written just before those that are read, and the ones written just after."""

    @abstractmethod
    def matrix(self, state: S) -> Float[Tensor, "batch writes slots slots"]:
        """Return all links as a matrix for each write head: row i, column j is how strongly i was written right after j."""


@state
class LinkState:
    """Which slot was written after which, and which one last."""

    links: Float[Tensor, "*batch writes slots slots"]
    """`links[b, h, i, j]` is how strongly head `h` wrote slot `i` right after slot `j`."""
    precedence: Float[Tensor, "*batch writes slots"]


class DenseLinks(Links[LinkState]):
    """Keep the strength of every link between two slots; the equations are those of `memtape.ops.links_after`.

    Memory and time of a step grow with the square of the number of slots.

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
        """Link the slots that are written to those written last."""
        return LinkState(
            links=ops.links_after(state.links, state.precedence, write_weights),
            precedence=ops.precedence_after(state.precedence, write_weights),
        )

    def follow(
        self, read_weights: Float[Tensor, "batch reads slots"], state: LinkState
    ) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
        """Multiply by the transposed links, and by the links."""
        return ops.follow_links(state.links, read_weights)

    def matrix(self, state: LinkState) -> Float[Tensor, "batch writes slots slots"]:
        """Return the links as they are."""
        return state.links
