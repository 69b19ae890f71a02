"""DNC: the memory of the Differentiable Neural Computer, which allocates slots, frees them and knows their order."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Memory
from memtape.core.state import state
from memtape.memory.links import DenseLinks, Links, LinkState
from memtape.memory.slots import InitialMemory, InitialSlots


@state
class DNCState:
    """The slots, where each head was, how much each slot is used, and the order in which they were written."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch reads slots"]
    write_weights: Float[Tensor, "*batch writes slots"]
    usage: Float[Tensor, "*batch slots"]
    links: LinkState


@state
class DNCControl:
    """What the heads are told in one step, in the order of the paper's interface vector."""

    read_keys: Float[Tensor, "*batch reads width"]
    read_strengths: Float[Tensor, "*batch reads"]
    write_keys: Float[Tensor, "*batch writes width"]
    write_strengths: Float[Tensor, "*batch writes"]
    erase: Float[Tensor, "*batch writes width"]
    add: Float[Tensor, "*batch writes width"]
    free_gates: Float[Tensor, "*batch reads"]
    allocation_gates: Float[Tensor, "*batch writes"]
    write_gates: Float[Tensor, "*batch writes"]
    read_modes: Float[Tensor, "*batch reads modes"]
    """Backward along the links of each write head, by content, forward along the links of each write head."""


class DNCMemory(Memory[DNCState, DNCControl]):
    r"""Write to a free slot or to one found by content; read by content, or what was written next or before.

    $$w^w = g^w \bigl(g^a\, a + (1 - g^a)\, c^w\bigr), \qquad M_t = M_{t-1} \odot (1 - w^w e^\top) + w^w v^\top, \qquad
    w^r = \pi_1\, b + \pi_2\, c^r + \pi_3\, f$$

    A step counts what is used and freed, writes, links what was written, and then reads what is there now. The other
    equations are the functions of `memtape.ops`. With several write heads each one allocates after the ones before it, all
    erase before any adds, and each has links of its own, along which every read head can step.

    Args:
        slots: number of slots.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        usage_gradient: let gradients flow through where was written into what is used.
        usage_epsilon: $\epsilon$: slots are allocated by the usages $\epsilon + (1 - \epsilon) u$.
        initial_memory: what a sequence begins from: "zeros", "constant", "learned" or "random".

    Raises:
        ValueError: a size below 1, an epsilon outside 0..1, or an unknown choice.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, Methods; several write heads as in the authors' code.
    """

    def __init__(
        self,
        slots: int,
        width: int,
        *,
        read_heads: int = 1,
        write_heads: int = 1,
        usage_gradient: bool = False,
        usage_epsilon: float = 0.0,
        initial_memory: InitialMemory = "zeros",
    ):
        super().__init__()
        checks.module_sizes(self, slots=slots, width=width, read_heads=read_heads, write_heads=write_heads)
        checks.probabilities(usage_epsilon=usage_epsilon)
        self.slots = slots
        self.read_heads, self.write_heads = read_heads, write_heads
        self.usage_gradient, self.usage_epsilon = usage_gradient, usage_epsilon
        self.links: Links[Any] = DenseLinks(slots, write_heads)
        self.initial_slots = InitialSlots(slots, width, initial_memory)
        self.read_size = read_heads * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> DNCState:
        """Return the initial contents, unused, with heads that were nowhere yet."""
        nowhere = torch.zeros(
            batch_size, self.read_heads + self.write_heads + 1, self.slots, device=device, dtype=dtype
        )
        read_weights, write_weights, usage = nowhere.split([self.read_heads, self.write_heads, 1], dim=1)
        return DNCState(
            memory=self.initial_slots(batch_size, device=device, dtype=dtype),
            read_weights=read_weights,
            write_weights=write_weights,
            usage=usage[:, 0],
            links=self.links.init_state(batch_size, device=device, dtype=dtype),
        )

    def address(self, control: DNCControl, state: DNCState) -> DNCState:
        """Move the write heads and then the read heads, over contents and links as they are."""
        return self._move_read_heads(control, self._move_write_heads(control, state))

    def write(self, control: DNCControl, state: DNCState) -> DNCState:
        """Erase and add where the write heads stand, and link these slots to those written before."""
        return DNCState(
            memory=ops.erase_and_add(state.memory, state.write_weights, control.erase, control.add),
            read_weights=state.read_weights,
            write_weights=state.write_weights,
            usage=state.usage,
            links=self.links.record(state.write_weights, state.links),
        )

    def read(self, state: DNCState) -> Float[Tensor, "batch read"]:
        """Return what the read heads see, one after another."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def forward(self, control: DNCControl, state: DNCState) -> tuple[Float[Tensor, "batch read"], DNCState]:
        """Take one step: write, then read."""
        written = self.write(control, self._move_write_heads(control, state))
        after = self._move_read_heads(control, written)
        return self.read(after), after

    def _move_write_heads(self, control: DNCControl, state: DNCState) -> DNCState:
        written = state.write_weights if self.usage_gradient else state.write_weights.detach()
        usage = ops.usage_after(state.usage, written, ops.retention(control.free_gates, state.read_weights))
        free = self._allocate(usage, control.allocation_gates * control.write_gates)
        content = ops.content_weights(state.memory, control.write_keys, control.write_strengths)
        chosen = torch.lerp(content, free, control.allocation_gates[:, :, None])
        return DNCState(
            memory=state.memory,
            read_weights=state.read_weights,
            write_weights=control.write_gates[:, :, None] * chosen,
            usage=usage,
            links=state.links,
        )

    def _allocate(self, usage: Tensor, amounts: Tensor) -> Tensor:
        """Return where each write head finds room, given how much the ones before it take."""
        found = [self._free(usage)]
        for amount in amounts.unbind(1)[:-1]:
            usage = usage + (1 - usage) * amount[:, None] * found[-1]
            found.append(self._free(usage))
        return torch.stack(found, dim=1)

    def _free(self, usage: Tensor) -> Tensor:
        epsilon = self.usage_epsilon
        return ops.allocation_weights(epsilon + (1 - epsilon) * usage if epsilon else usage)

    def _move_read_heads(self, control: DNCControl, state: DNCState) -> DNCState:
        content = ops.content_weights(state.memory, control.read_keys, control.read_strengths)
        backward, forward = self.links.follow(state.read_weights, state.links)
        places = torch.cat([backward, content[:, :, None], forward], dim=2)
        return DNCState(
            memory=state.memory,
            read_weights=(control.read_modes[:, :, None] @ places)[:, :, 0],
            write_weights=state.write_weights,
            usage=state.usage,
            links=state.links,
        )
