"""Link lists: the temporal links of the SDNC, of which every slot has a short list in each direction."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape import ops
from memtape.core import checks
from memtape.core.state import state


@state
class LinkListState:
    """For every slot the slots that were written right before it and right after it, and where was written last.

    The numbers of slots are whole numbers in the dtype of the state; no gradient goes through any part.
    """

    before_slots: Float[Tensor, "*batch slots links"]
    before_weights: Float[Tensor, "*batch slots links"]
    after_slots: Float[Tensor, "*batch slots links"]
    after_weights: Float[Tensor, "*batch slots links"]
    last_slots: Float[Tensor, "*batch links"]
    last_weights: Float[Tensor, "*batch links"]


class LinkLists(nn.Module):
    r"""Keep the strongest links of each slot, and follow them.

    $N_t$ and $P_t$ of the paper, each row a list; heads that write in the same step share the links: their weights are summed,
    and divided by their total where that exceeds 1. A slot is no neighbour of itself, as in the DNC.

    Args:
        slots: number of slots.
        links: length of a list, 8 in the paper; no more than there are slots.

    Raises:
        ValueError: a size below 1.

    References:
        Rae et al. (2016), "Scaling memory-augmented neural networks with sparse reads and writes", arXiv:1610.09027,
        supplementary material.
    """

    def __init__(self, slots: int, *, links: int = 8):
        super().__init__()
        checks.module_sizes(self, slots=slots, links=links)
        self.slots, self.links = slots, min(links, slots)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LinkListState:
        """Return lists of weight zero; the slots in them are different, as those of every list are."""
        first = torch.arange(self.links, device=device).to(dtype or torch.get_default_dtype())
        zero = torch.zeros((), device=device, dtype=dtype)
        slots, weights = (part.expand(batch_size, self.slots, self.links) for part in (first, zero))
        return LinkListState(
            before_slots=slots,
            before_weights=weights,
            after_slots=slots,
            after_weights=weights,
            last_slots=first.expand(batch_size, -1),
            last_weights=zero.expand(batch_size, self.links),
        )

    def forward(
        self, weights: Float[Tensor, "batch heads slots"], state: LinkListState, most: int
    ) -> LinkListState:
        """Note a step's writes.

        Args:
            weights: the write weights.
            state: the links before.
            most: how many slots can have been written to.
        """
        state = _whole(state, self.slots)
        written = weights.detach().sum(1)
        written = written / written.sum(-1, keepdim=True).clamp(min=1)
        places = written.sort(dim=-1, descending=True, stable=True).indices[:, : min(most, self.slots)]
        chosen, slots = written.gather(-1, places), places.to(written.dtype)
        precedence = torch.zeros_like(written).scatter(-1, state.last_slots.long(), state.last_weights)
        before_slots, before_weights = ops.predecessor_lists(
            state.before_slots, state.before_weights, written, state.last_slots, state.last_weights
        )
        after_slots, after_weights = ops.successor_lists(
            state.after_slots, state.after_weights, slots, chosen, precedence
        )
        last_slots, last_weights = ops.precedence_lists(state.last_slots, state.last_weights, slots, chosen)
        return LinkListState(
            before_slots=before_slots,
            before_weights=before_weights,
            after_slots=after_slots,
            after_weights=after_weights,
            last_slots=last_slots,
            last_weights=last_weights,
        )

    def follow(
        self, read_weights: Float[Tensor, "batch heads slots"], state: LinkListState
    ) -> tuple[Float[Tensor, "batch heads slots"], Float[Tensor, "batch heads slots"]]:
        """Return where heads come that go backward and forward from where they read."""
        state = _whole(state, self.slots)
        return (
            ops.linked(state.before_slots, state.before_weights, read_weights),
            ops.linked(state.after_slots, state.after_weights, read_weights),
        )


def _whole(state: LinkListState, slots: int) -> LinkListState:
    """Return the links without their graph, the numbers of slots rounded and within range."""

    def places(numbers: Tensor) -> Tensor:
        return numbers.detach().nan_to_num().round().clamp(0, slots - 1)

    return LinkListState(
        before_slots=places(state.before_slots),
        before_weights=state.before_weights.detach(),
        after_slots=places(state.after_slots),
        after_weights=state.after_weights.detach(),
        last_slots=places(state.last_slots),
        last_weights=state.last_weights.detach(),
    )
