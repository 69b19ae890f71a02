"""Sparse computer: the memory of the SDNC, a Sparse Access Memory with temporal links."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.view import Views
from memtape.memory.control import HeadParameters
from memtape.memory.link_lists import LinkLists, LinkListState
from memtape.memory.slot_views import links_view, modes_view
from memtape.memory.sparse_access import (
    InitialContents,
    Neighbours,
    SparseAccessControl,
    SparseAccessInterface,
    SparseAccessMemory,
    SparseAccessState,
    Strengths,
)
from memtape.ops.near_ties import largest_weights

MODES = ("backward", "content", "forward")
"""The read modes of a head, in the order of the interface vector."""

MOST_LINKED_SLOTS = 1024
"""Largest number of slots for which views contain the links: the matrix of slots by slots grows too large beyond."""


@state
class SparseComputerState:
    """The slots, the last read weights of each head, the usage of each slot, and the links."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch heads slots"]
    usage: Float[Tensor, "*batch slots"]
    links: LinkListState


@state
class SparseComputerControl:
    """Head parameters of one step: those of SAM, and the read modes in the order backward, content, forward."""

    access: SparseAccessControl
    read_modes: Float[Tensor, "*batch heads modes"]


class SparseComputerMemory(Memory[SparseComputerState, SparseComputerControl]):
    r"""Write as in SAM, link the writes, and read by content, backward or forward.

    $$w^R_t = \operatorname{largest}\bigl(\pi_1 N_t^\top w^R_{t-1} + \pi_2 c_t + \pi_3 P_t^\top w^R_{t-1}\bigr)$$

    with $c$ the read weights of SAM; the two other terms follow the links to the slots written before, $N$, and after, $P$
    (`memtape.ops.predecessor_lists` and `successor_lists`), which have no gradient. Only the `nearest`
    largest weights of a head are kept, unchanged, so that steps stay sparse.

    Args:
        slots: number of slots.
        width: size of one slot.
        heads: number of heads; each reads, writes, and clears one of the least used slots in every step.
        nearest: number of slots that a head reads in a step.
        links: number of links of a slot in each direction.
        neighbours: whether the fused kernels find the nearest slots by "exact" or by "approximate" search, as in
            `SparseAccessMemory`.
        threshold: weight above which a slot counts as accessed.
        initial_memory: initial contents of the slots: "zeros", "random" or "learned".

    Raises:
        ValueError: a size is below 1, there are more heads or nearest slots than slots, or a choice is unknown.

    References:
        Rae et al. (2016), "Scaling memory-augmented neural networks with sparse reads and writes", arXiv:1610.09027,
        supplementary material.
    """

    def __init__(
        self,
        slots: int,
        width: int,
        *,
        heads: int = 1,
        nearest: int = 4,
        links: int = 8,
        neighbours: Neighbours = "exact",
        threshold: float = 0.005,
        initial_memory: InitialContents = "zeros",
    ):
        super().__init__()
        self.access = SparseAccessMemory(
            slots,
            width,
            heads=heads,
            nearest=nearest,
            neighbours=neighbours,
            threshold=threshold,
            initial_memory=initial_memory,
        )
        self.links = LinkLists(slots, links=links)
        self.slots, self.heads, self.nearest = slots, heads, nearest
        self.read_size = self.access.read_size

    @property
    def sparse(self) -> bool:
        """Whether a step accesses only a few slots."""
        return self.access.sparse

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SparseComputerState:
        """Return the initial slots, read weights and usage of zero, and no links."""
        access = self.access.init_state(batch_size, device=device, dtype=dtype)
        return _with(access, self.links.init_state(batch_size, device=device, dtype=dtype))

    def write(self, control: SparseComputerControl, state: SparseComputerState) -> SparseComputerState:
        """Clear the least used slots, add each head's vector to the slots it writes to, and link the writes."""
        access = _access(state)
        _, weights = self.access.writing(control.access, access)
        links = self.links(weights, state.links, self.heads * (self.nearest + 1))
        return _with(self.access.write(control.access, access), links)

    def address(self, control: SparseComputerControl, state: SparseComputerState) -> SparseComputerState:
        """Compute the read weights by content and along the links, and update the usage."""
        access = _access(state)
        _, writing = self.access.writing(control.access, access)
        content = ops.nearest_weights(state.memory, control.access.keys, control.access.strengths, self.nearest)
        backward, forward = self.links.follow(state.read_weights, state.links, self.nearest)
        modes = control.read_modes[..., None]
        reading = modes[:, :, 0] * backward + modes[:, :, 1] * content + modes[:, :, 2] * forward
        kept = largest_weights(reading, self.nearest)
        reading = torch.zeros_like(reading).scatter(-1, kept, reading.gather(-1, kept))
        usage = ops.last_access(state.usage, writing + reading, self.access.threshold)
        return SparseComputerState(memory=state.memory, read_weights=reading, usage=usage, links=state.links)

    def read(self, state: SparseComputerState) -> Float[Tensor, "batch read"]:
        """Return what the heads see, one after another."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def forward(
        self, control: SparseComputerControl, state: SparseComputerState
    ) -> tuple[Float[Tensor, "batch read"], SparseComputerState]:
        """Take one step: write, then address and read."""
        moved = self.address(control, self.write(control, state))
        return self.read(moved), moved

    def views(self, control: SparseComputerControl, state: SparseComputerState) -> Views:
        """Return the views of SAM, with the read modes before the weights and the links before the contents.

        The links are left out if there are more than `MOST_LINKED_SLOTS` slots.
        """
        reads, after = self(control, state)
        *first, write_weights, read_weights, usage, contents = self.access.views_of(
            control.access, _access(state), reads, _access(after)
        )
        links = (links_view(self.links.matrix(after.links)),) if self.slots <= MOST_LINKED_SLOTS else ()
        modes = modes_view(control.read_modes, MODES)
        return (*first, modes, write_weights, read_weights, usage, *links, contents)


class SparseComputerInterface(Interface[SparseComputerControl]):
    r"""Compute the head parameters from a hidden vector: those of SAM, and $\pi = \operatorname{softmax}(\cdot)$.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        heads: number of heads.
        strengths: activation of the key strengths, as in `SparseAccessInterface`.
        initial_strength: initial value of every key strength, as in `SparseAccessInterface`.
        squash: apply tanh to keys and add vectors.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.

    Raises:
        ValueError: a size is below 1, a choice is unknown, the initial strength is outside the range of strengths or is
            given without strengths, or the clip is not positive.

    References:
        Rae et al. (2016), arXiv:1610.09027, supplementary material; modes as in the DNC.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        heads: int = 1,
        strengths: Strengths = "oneplus",
        initial_strength: float | None = None,
        squash: bool = False,
        clip: float | None = 20.0,
    ):
        super().__init__()
        self.access = SparseAccessInterface(
            hidden_size,
            width,
            heads=heads,
            strengths=strengths,
            initial_strength=initial_strength,
            squash=squash,
            clip=clip,
        )
        self.modes = HeadParameters(hidden_size, {"read_modes": torch.zeros(len(MODES) * heads)}, clip=clip)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> SparseComputerControl:
        """Compute the control from the hidden vector."""
        modes = self.modes(hidden)["read_modes"].unflatten(-1, (-1, len(MODES)))
        return SparseComputerControl(access=self.access(hidden), read_modes=torch.softmax(modes, dim=-1))


def _access(state: SparseComputerState) -> SparseAccessState:
    return SparseAccessState(memory=state.memory, read_weights=state.read_weights, usage=state.usage)


def _with(access: SparseAccessState, links: LinkListState) -> SparseComputerState:
    return SparseComputerState(memory=access.memory, read_weights=access.read_weights, usage=access.usage, links=links)
