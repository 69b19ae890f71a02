"""Sparse links: the order in which slots were written, kept by the strongest few links of each slot."""

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
    """Which few slots each slot was written after, and which slot was written last."""

    values: Float[Tensor, "*batch writes slots size"]
    """`values[b, h, i, k]` is how strongly head `h` wrote slot `i` right after slot `places[b, h, i, k]`."""
    places: Float[Tensor, "*batch writes slots size"]
    """Whole numbers."""
    precedence: Float[Tensor, "*batch writes slots"]


class SparseLinks(Links[SparseLinkState]):
    """Keep the strongest links of each slot; the equations are those of `memtape.ops.sparse_links_after`.

    Memory grows with the number of slots, and time with that of sorting them.

    Args:
        slots: number of slots.
        write_heads: number of write heads.
        size: how many links of a slot are kept at most; links weaker than 1 / size are cut.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1.
    """

    def __init__(self, slots: int, write_heads: int, size: int):
        checks.at_least(1, link_size=size)
        self.slots, self.write_heads = slots, write_heads
        self.size, self.threshold = min(size, slots), 1 / size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SparseLinkState:
        """Return no links, which lead from each slot to itself."""
        values = torch.zeros(batch_size, self.write_heads, self.slots, self.size, device=device, dtype=dtype)
        itself = torch.arange(self.slots, device=device).to(values.dtype)[:, None]
        return SparseLinkState(
            values=values, places=itself.expand_as(values).contiguous(), precedence=values.new_zeros(values.shape[:3])
        )

    def record(self, write_weights: Float[Tensor, "batch writes slots"], state: SparseLinkState) -> SparseLinkState:
        """Link the slots that are written most to those written last."""
        values, places = ops.sparse_links_after(
            state.values, state.places, state.precedence, write_weights, threshold=self.threshold
        )
        return SparseLinkState(
            values=values, places=places, precedence=ops.precedence_after(state.precedence, write_weights)
        )

    def follow(
        self, read_weights: Float[Tensor, "batch reads slots"], state: SparseLinkState
    ) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
        """Go back along the links of the slots that are read, and on along the links that lead back to them."""
        return ops.follow_sparse_links(state.values, state.places, read_weights)

    def matrix(self, state: SparseLinkState) -> Float[Tensor, "batch writes slots slots"]:
        """Return the few links of each slot at their places, and zeros elsewhere."""
        places = state.places.round().long()
        zeros = state.values.new_zeros(*state.values.shape[:-1], self.slots)
        return zeros.scatter_add(-1, places, state.values)
