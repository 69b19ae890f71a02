"""DNC: the memory of the Differentiable Neural Computer, with allocation, freeing and temporal links."""

import dataclasses
import math
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Memory
from memtape.core.state import NoState, state
from memtape.core.view import SLOT, View, Views
from memtape.memory.dnc_control import DNCControl, LookUpMasks
from memtape.memory.links import DenseLinks, Links
from memtape.memory.slot_views import contents_view, gates_view, links_view, modes_view, vectors_view, weights_view
from memtape.memory.slots import CONSTANT, InitialMemory, InitialSlots
from memtape.memory.sparse_links import SparseLinks
from memtape.ops.addressing import NORM_EPSILON
from memtape.ops.near_ties import NEAR_TIE

LinkKind = Literal["dense", "sparse", "none"]
LINK_KINDS = ("dense", "sparse", "none")

InitialWeights = Literal["constant", "random", "zeros"]
INITIAL_WEIGHTS = ("constant", "random", "zeros")

LINK_SIZE = 8
"""Default number of links of a slot; Graves et al. (2016) found 5 to be as good as all."""

LINK_EPSILON = 1e-6
"""Added to weights before sharpening (Csordas & Schmidhuber's code), so that weights of zero become uniform."""


@state
class DNCState:
    """The slots, the weights of the heads, the usage of each slot, and the temporal links."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch reads slots"]
    write_weights: Float[Tensor, "*batch writes slots"]
    usage: Float[Tensor, "*batch slots"]
    links: Any
    """`LinkState`, `SparseLinkState`, or `NoState` without links."""


class DNCMemory(Memory[DNCState, DNCControl]):
    r"""Write to a free slot or by content; read by content, or along the temporal links backward or forward.

    $$w^w = g^w \bigl(g^a\, a + (1 - g^a)\, c^w\bigr), \qquad M_t = M_{t-1} \odot (1 - w^w e^\top) + w^w v^\top, \qquad
    w^r = \pi_1\, b + \pi_2\, c^r + \pi_3\, f$$

    A step updates the usage, writes, updates the links, and then reads the new contents. The functions of `memtape.ops`
    compute the other equations. With several write heads, each one allocates after the previous ones, all erase before
    any adds, and each has its own links, which every read head can follow.

    With masks, keys and slots are multiplied by the masks before they are compared; with exponents, $b$ and $f$ are
    sharpened.

    Args:
        slots: number of slots.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        links: "dense" stores all links; "sparse" the strongest links of each slot; with "none" the heads read by
            content only.
        link_size: $K$, number of links of a slot, for sparse links only; None for 8.
        deallocate: erase freed slots, $M_{t-1} \odot \psi_t$ instead of $M_{t-1}$ (else they keep their contents until
            the next write).
        usage_gradient: let the gradient of the usage flow into the write weights.
        usage_epsilon: $\epsilon$; the allocation uses $\epsilon + (1 - \epsilon) u$ instead of the usage $u$.
        usage_tolerance: slots whose usages differ by at most this are allocated in the order of their indices, so that
            rounding does not decide.
        norm_epsilon: $\epsilon$ of the norms in `memtape.ops.content_weights`.
        product_epsilon: $\epsilon'$ of the product of the norms.
        initial_memory: initial contents of the slots: "zeros", "constant", "even", "learned" or "random".
        initial_weights: initial weights of the heads: "zeros", "constant" (1e-6 everywhere) or "random" (drawn once
            when the memory is built, with a sum of 1).

    Raises:
        ValueError: a size is below 1, an epsilon or a tolerance is out of range, a choice is unknown, or a link size is
            given for links that are not sparse.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, Methods; several write heads as in the authors' code; masks, exponents and `deallocate`:
        Csordas & Schmidhuber (2019), arXiv:1904.10278; no links: Franke, Niehues & Waibel (2018), "Robust and scalable
        differentiable neural computer for question answering", arXiv:1807.02658.
    """

    def __init__(
        self,
        slots: int,
        width: int,
        *,
        read_heads: int = 1,
        write_heads: int = 1,
        links: LinkKind = "dense",
        link_size: int | None = None,
        deallocate: bool = False,
        usage_gradient: bool = False,
        usage_epsilon: float = 0.0,
        usage_tolerance: float = NEAR_TIE,
        norm_epsilon: float = NORM_EPSILON,
        product_epsilon: float = 0.0,
        initial_memory: InitialMemory = "zeros",
        initial_weights: InitialWeights = "zeros",
    ):
        super().__init__()
        checks.module_sizes(self, slots=slots, width=width, read_heads=read_heads, write_heads=write_heads)
        checks.probabilities(usage_epsilon=usage_epsilon)
        checks.positive(norm_epsilon=norm_epsilon)
        if not 0 <= usage_tolerance < 1:
            raise ValueError(
                f"usage_tolerance is {usage_tolerance}, but it is a difference of usages; give a number from 0 to below 1"
            )
        checks.one_of(INITIAL_WEIGHTS, initial_weights=initial_weights)
        if not 0 <= product_epsilon < math.inf:
            raise ValueError(
                f"product_epsilon is {product_epsilon}, but it is added to a product of two norms; give 0 or more"
            )
        self.slots = slots
        self.read_heads, self.write_heads = read_heads, write_heads
        self.links = _links(links, slots, write_heads, link_size)
        self.deallocate = deallocate
        self.usage_gradient = usage_gradient
        self.usage_epsilon, self.usage_tolerance = usage_epsilon, usage_tolerance
        self.norm_epsilon, self.product_epsilon = norm_epsilon, product_epsilon
        self.initial_slots = InitialSlots(slots, width, initial_memory)
        self.initial_weights = initial_weights
        if initial_weights == "random":
            drawn = torch.empty(read_heads + write_heads, slots).exponential_()
            self.register_buffer("first_weights", drawn / drawn.sum(dim=-1, keepdim=True))
        self.read_size = read_heads * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> DNCState:
        """Return the initial contents and weights, with a usage of zero and no links."""
        form: dict[str, Any] = {"device": device, "dtype": dtype}
        read_weights, write_weights = self._first_weights(batch_size, **form)
        return DNCState(
            memory=self.initial_slots(batch_size, **form),
            read_weights=read_weights,
            write_weights=write_weights,
            usage=torch.zeros(batch_size, self.slots, **form),
            links=self.links.init_state(batch_size, **form) if self.links else NoState(),
        )

    def _first_weights(self, batch_size: int, *, device: Any, dtype: Any) -> tuple[Tensor, ...]:
        heads = self.read_heads + self.write_heads
        if self.initial_weights == "random":
            weights = self.get_buffer("first_weights").to(device=device, dtype=dtype).expand(batch_size, -1, -1)
        else:
            value = CONSTANT if self.initial_weights == "constant" else 0.0
            weights = torch.full((batch_size, heads, self.slots), value, device=device, dtype=dtype)
        return weights.split([self.read_heads, self.write_heads], dim=1)

    def address(self, control: DNCControl, state: DNCState) -> DNCState:
        """Compute the write weights and then the read weights, from the given contents and links."""
        return self._move_read_heads(control, self._move_write_heads(control, state))

    def write(self, control: DNCControl, state: DNCState) -> DNCState:
        """Erase and add with the write weights, and update the links."""
        memory = state.memory
        if self.deallocate:
            memory = memory * ops.retention(control.free_gates, state.read_weights)[:, :, None]
        memory = ops.erase_and_add(memory, state.write_weights, control.erase, control.add)
        links = self.links.record(state.write_weights, state.links) if self.links else state.links
        return dataclasses.replace(state, memory=memory, links=links)

    def read(self, state: DNCState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of all read heads, concatenated."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def look(self, control: DNCControl, state: DNCState) -> tuple[Float[Tensor, "batch read"], DNCState]:
        """Move the read heads and read; contents, write heads, usage and links do not change."""
        after = self._move_read_heads(control, state)
        return self.read(after), after

    def forward(self, control: DNCControl, state: DNCState) -> tuple[Float[Tensor, "batch read"], DNCState]:
        """Take one step: write, then read."""
        written = self.write(control, self._move_write_heads(control, state))
        after = self._move_read_heads(control, written)
        return self.read(after), after

    def views(self, control: DNCControl, state: DNCState) -> Views:
        """Return the views: add and read vectors, gates, read modes, weights, usage, links, and the contents after the step.

        Without links there are no views of links and modes.
        """
        reads, after = self(control, state)
        numbers = [""] if self.write_heads == 1 else [f" {head + 1}" for head in range(self.write_heads)]
        modes = (*(f"backward{n}" for n in numbers), "content", *(f"forward{n}" for n in numbers))
        return (
            vectors_view("adds", "Adds", control.add),
            vectors_view("reads", "Reads", reads.unflatten(1, (self.read_heads, -1))),
            gates_view("write_gates", "Write gates", control.write_gates),
            gates_view("allocation_gates", "Allocation gates", control.allocation_gates),
            gates_view("free_gates", "Free gates", control.free_gates),
            *((modes_view(control.read_modes, modes),) if self.links else ()),
            weights_view("write_weights", "Write weights", after.write_weights),
            weights_view("read_weights", "Read weights", after.read_weights),
            View(name="usage", title="Usage", values=after.usage, axes=(SLOT,), scale="level", measure="usage"),
            *((links_view(self.links.matrix(after.links)),) if self.links else ()),
            contents_view(after.memory),
        )

    def _move_write_heads(self, control: DNCControl, state: DNCState) -> DNCState:
        written = state.write_weights if self.usage_gradient else state.write_weights.detach()
        usage = ops.usage_after(state.usage, written, ops.retention(control.free_gates, state.read_weights))
        free = self._allocate(usage, control.allocation_gates * control.write_gates)
        masks = control.masks.write if isinstance(control.masks, LookUpMasks) else None
        content = self._look_up(state.memory, control.write_keys, control.write_strengths, masks)
        chosen = torch.lerp(content, free, control.allocation_gates[:, :, None])
        return dataclasses.replace(state, write_weights=control.write_gates[:, :, None] * chosen, usage=usage)

    def _move_read_heads(self, control: DNCControl, state: DNCState) -> DNCState:
        masks = control.masks.read if isinstance(control.masks, LookUpMasks) else None
        content = self._look_up(state.memory, control.read_keys, control.read_strengths, masks)
        if not self.links:
            return dataclasses.replace(state, read_weights=content)
        backward, forward = self.links.follow(state.read_weights, state.links)
        if not isinstance(control.exponents, NoState):
            backward = _sharpened(backward, control.exponents.backward)
            forward = _sharpened(forward, control.exponents.forward)
        places = torch.cat([backward, content[:, :, None], forward], dim=2)
        return dataclasses.replace(state, read_weights=(control.read_modes[:, :, None] @ places)[:, :, 0])

    def _look_up(self, memory: Tensor, keys: Tensor, strengths: Tensor, masks: Tensor | None) -> Tensor:
        return ops.content_weights(
            memory,
            keys,
            strengths,
            masks=masks,
            norm_epsilon=self.norm_epsilon,
            product_epsilon=self.product_epsilon,
        )

    def _allocate(self, usage: Tensor, amounts: Tensor) -> Tensor:
        """Return the allocation weights of each write head, after the allocations of the previous ones."""
        found = [self._free(usage)]
        for amount in amounts.unbind(1)[:-1]:
            usage = usage + (1 - usage) * amount[:, None] * found[-1]
            found.append(self._free(usage))
        return torch.stack(found, dim=1)

    def _free(self, usage: Tensor) -> Tensor:
        epsilon = self.usage_epsilon
        raised = epsilon + (1 - epsilon) * usage if epsilon else usage
        return ops.allocation_weights(raised, tolerance=self.usage_tolerance)


def _sharpened(weights: Tensor, exponents: Tensor) -> Tensor:
    sharp = ops.sharpen(weights.flatten(1, 2), exponents.flatten(1), epsilon=LINK_EPSILON)
    return sharp.unflatten(1, exponents.shape[1:])


def _links(kind: LinkKind, slots: int, write_heads: int, size: int | None) -> Links[Any] | None:
    checks.one_of(LINK_KINDS, links=kind)
    if size is not None and kind != "sparse":
        raise ValueError(f'link_size is {size}, but links are {kind!r}; leave it out or choose "sparse"')
    if kind == "sparse":
        return SparseLinks(slots, write_heads, LINK_SIZE if size is None else size)
    return DenseLinks(slots, write_heads) if kind == "dense" else None
