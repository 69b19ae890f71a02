"""Link lists: the sparse temporal links of the SDNC, a short list for each slot and direction."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.known_parts import KeepsForward
from memtape.core.state import state
from memtape.ops.near_ties import largest_weights, strongest_first


@state
class SlotList:
    """Lists of slots with weights; indices are integers in the dtype of the state, and entries of weight 0 are unused."""

    places: Float[Tensor, "*rows listed"]
    weights: Float[Tensor, "*rows listed"]


@state
class LinkListState:
    """The slots written right before and right after each slot, and those written last; they have no gradient."""

    before: SlotList
    after: SlotList
    last: SlotList


class LinkLists(KeepsForward):
    r"""Record the strongest links of each slot, and follow them.

    These are $N_t$ and $P_t$ of the paper, each row a list. Heads that write in the same step share the links: their
    weights are summed, and divided by their total if that exceeds 1. A slot has no link to itself, as in the DNC.

    Args:
        slots: number of slots.
        links: length of a list, 8 in the paper; at most the number of slots.

    Raises:
        ValueError: a size is below 1.

    References:
        Rae et al. (2016), "Scaling memory-augmented neural networks with sparse reads and writes", arXiv:1610.09027,
        supplementary material.
    """

    def __init__(self, slots: int, *, links: int = 8):
        super().__init__()
        checks.module_sizes(self, slots=slots, links=links)
        self.slots, self.links = slots, min(links, slots)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LinkListState:
        """Return empty lists."""
        zero = torch.zeros((), device=device, dtype=dtype)

        def empty(*rows: int) -> SlotList:
            return SlotList(places=zero.expand(*rows, self.links), weights=zero.expand(*rows, self.links))

        every = (batch_size, self.slots)
        return LinkListState(before=empty(*every), after=empty(*every), last=empty(batch_size))

    def forward(self, weights: Float[Tensor, "batch heads slots"], state: LinkListState, most: int) -> LinkListState:
        """Update the links with the writes of a step.

        Args:
            weights: the write weights.
            state: the links before the step.
            most: largest number of slots that can have been written to.
        """
        before, after, last = (self._valid(part) for part in (state.before, state.after, state.last))
        written = weights.detach().sum(1)
        total = written.sum(-1)
        written = written / total.clamp(min=1)[:, None]
        places = strongest_first(written)[:, : min(most, self.slots)]
        now = places.to(written.dtype), written.gather(-1, places)
        then = {"precedence_slots": last.places, "precedence_weights": last.weights}
        return LinkListState(
            before=_list(ops.predecessor_lists(before.places, before.weights, *now, **then)),
            after=_list(ops.successor_lists(after.places, after.weights, *now, **then)),
            last=_list(ops.precedence_lists(last.places, last.weights, *now, (1 - total).relu())),
        )

    def follow(
        self, read_weights: Float[Tensor, "batch heads slots"], state: LinkListState, most: int
    ) -> tuple[Float[Tensor, "batch heads slots"], Float[Tensor, "batch heads slots"]]:
        """Follow the links backward and forward from the slots that were read.

        Args:
            read_weights: the last read weights; entries of 0 get no gradient.
            state: the links.
            most: largest number of slots that a head can have read.
        """
        before, after = self._valid(state.before), self._valid(state.after)
        slots = largest_weights(read_weights, most)
        reading = read_weights.gather(-1, slots).relu()
        return (
            ops.linked(before.places, before.weights, slots, reading),
            ops.linked(after.places, after.weights, slots, reading),
        )

    def matrix(self, state: LinkListState) -> Float[Tensor, "batch slots slots"]:
        """Return all links as a matrix: row i, column j is the strength of the link from slot j to slot i."""
        before = self._valid(state.before)
        zeros = before.weights.new_zeros(*before.weights.shape[:-1], self.slots)
        return zeros.scatter_add(-1, before.places.long(), before.weights)

    def _valid(self, part: SlotList) -> SlotList:
        """Return the lists detached from the graph, with all indices valid."""
        places = part.places.detach().nan_to_num().round().clamp(0, self.slots - 1)
        return SlotList(places=places, weights=part.weights.detach())


def _list(part: tuple[Tensor, Tensor]) -> SlotList:
    return SlotList(places=part[0], weights=part[1])
