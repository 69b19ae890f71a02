"""Sparse links: the strongest temporal links of each slot."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.state import state
from memtape.memory.links import Links


@state
class SparseLinkState:
    """The strongest links of each slot, and the precedence weights."""

    values: Float[Tensor, "*batch writes slots size"]
    """`values[b, h, i, k]` is the degree to which head `h` wrote slot `i` right after slot `places[b, h, i, k]`."""
    places: Float[Tensor, "*batch writes slots size"]
    """Indices of slots, integers in the dtype of the state."""
    precedence: Float[Tensor, "*batch writes slots"]


class SparseLinks(Links[SparseLinkState]):
    """Store the strongest links of each slot, with the equations of `memtape.ops.sparse_links_after`.

    Memory is linear in the number of slots, and time is that of sorting them.

    Args:
        slots: number of slots.
        write_heads: number of write heads.
        size: largest number of links of a slot; links weaker than 1 / size are dropped.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.
    """

    def __init__(self, slots: int, write_heads: int, size: int):
        checks.at_least(1, link_size=size)
        self.slots, self.write_heads = slots, write_heads
        self.size, self.threshold = min(size, slots), 1 / size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SparseLinkState:
        """Return links of strength 0, from each slot to itself."""
        values = torch.zeros(batch_size, self.write_heads, self.slots, self.size, device=device, dtype=dtype)
        itself = torch.arange(self.slots, device=device).to(values.dtype)[:, None]
        return SparseLinkState(
            values=values, places=itself.expand_as(values).contiguous(), precedence=values.new_zeros(values.shape[:3])
        )

    def record(self, write_weights: Float[Tensor, "batch writes slots"], state: SparseLinkState) -> SparseLinkState:
        """Link the slots written now to those written last, with the largest weights of both."""
        values, places = ops.sparse_links_after(
            state.values, state.places, state.precedence, write_weights, threshold=self.threshold
        )
        return SparseLinkState(
            values=values, places=places, precedence=ops.precedence_after(state.precedence, write_weights)
        )

    def follow(
        self, read_weights: Float[Tensor, "batch reads slots"], state: SparseLinkState
    ) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
        """Follow the links of the slots that were read backward, and the links that lead to them forward."""
        return ops.follow_sparse_links(state.values, state.places, read_weights)

    def matrix(self, state: SparseLinkState) -> Float[Tensor, "batch writes slots slots"]:
        """Return the links of each slot as a dense matrix, with zeros elsewhere."""
        places = state.places.round().long()
        zeros = state.values.new_zeros(*state.values.shape[:-1], self.slots)
        return zeros.scatter_add(-1, places, state.values)
