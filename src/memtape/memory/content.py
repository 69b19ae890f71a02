"""Content: a memory with content-based addressing only."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.view import Views
from memtape.memory.control import HeadParameters
from memtape.memory.slot_views import contents_view, vectors_view, weights_view
from memtape.memory.slots import InitialMemory, InitialSlots
from memtape.ops.addressing import Similarity

SIMILARITIES = ("cosine", "dot")


@state
class ContentState:
    """The slots, and the weights of the heads in this step."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch reads slots"]
    write_weights: Float[Tensor, "*batch writes slots"]


@state
class ContentControl:
    """Head parameters of one step; read heads come first."""

    keys: Float[Tensor, "*batch heads width"]
    strengths: Float[Tensor, "*batch heads"]
    erase: Float[Tensor, "*batch writes width"]
    add: Float[Tensor, "*batch writes width"]


class ContentMemory(Memory[ContentState, ContentControl]):
    r"""Address slots by the similarity of their contents to keys; read, erase and add.

    $$w_h = \operatorname{softmax}(\beta_h K(k_h, M_{t-1})), \qquad r_h = \sum_i w_h[i]\, M[i]$$

    and the write of `memtape.ops.erase_and_add`. The weights do not depend on those of the step before.

    Args:
        slots: number of slots.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        similarity: "cosine" or the plain "dot" product.
        read_first: read the memory as it was before the write of the same step (else after it).
        initial_memory: initial contents of the slots: "constant", "even", "learned", "random" or "zeros". Equal slots
            always stay equal, so that a constant memory has the capacity of one slot.

    Raises:
        ValueError: a size is below 1, or a choice is unknown.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, sections 3.1, 3.2 and 3.3.1.
    """

    def __init__(
        self,
        slots: int,
        width: int,
        *,
        read_heads: int = 1,
        write_heads: int = 1,
        similarity: Similarity = "cosine",
        read_first: bool = True,
        initial_memory: InitialMemory = "constant",
    ):
        super().__init__()
        checks.module_sizes(self, slots=slots, width=width, read_heads=read_heads, write_heads=write_heads)
        checks.one_of(SIMILARITIES, similarity=similarity)
        self.read_heads, self.write_heads = read_heads, write_heads
        self.similarity: Similarity = similarity
        self.read_first = read_first
        self.initial_slots = InitialSlots(slots, width, initial_memory)
        self.read_size = read_heads * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> ContentState:
        """Return the initial slots, with uniform weights of all heads."""
        memory = self.initial_slots(batch_size, device=device, dtype=dtype)
        slots = memory.shape[1]
        everywhere = torch.full((batch_size, self.read_heads + self.write_heads, slots), 1 / slots).to(memory)
        read_weights, write_weights = everywhere.split([self.read_heads, self.write_heads], dim=1)
        return ContentState(memory=memory, read_weights=read_weights, write_weights=write_weights)

    def address(self, control: ContentControl, state: ContentState) -> ContentState:
        """Compute the weights of the heads from the similarity of slots to keys."""
        weights = ops.content_weights(state.memory, control.keys, control.strengths, similarity=self.similarity)
        read_weights, write_weights = weights.split([self.read_heads, self.write_heads], dim=1)
        return ContentState(memory=state.memory, read_weights=read_weights, write_weights=write_weights)

    def write(self, control: ContentControl, state: ContentState) -> ContentState:
        """Erase and add with the write weights."""
        memory = ops.erase_and_add(state.memory, state.write_weights, control.erase, control.add)
        return ContentState(memory=memory, read_weights=state.read_weights, write_weights=state.write_weights)

    def read(self, state: ContentState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of all read heads, concatenated."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def look(self, control: ContentControl, state: ContentState) -> tuple[Float[Tensor, "batch read"], ContentState]:
        """Move the read heads and read; the contents and the write heads do not change."""
        moved = self.address(control, state)
        after = ContentState(memory=state.memory, read_weights=moved.read_weights, write_weights=state.write_weights)
        return self.read(after), after

    def forward(self, control: ContentControl, state: ContentState) -> tuple[Float[Tensor, "batch read"], ContentState]:
        """Take one step."""
        state = self.address(control, state)
        written = self.write(control, state)
        return self.read(state if self.read_first else written), written

    def views(self, control: ContentControl, state: ContentState) -> Views:
        """Return what is added and read, the weights, and the contents after the step."""
        reads, after = self(control, state)
        return (
            vectors_view("adds", "Adds", control.add),
            vectors_view("reads", "Reads", reads.unflatten(1, (self.read_heads, -1))),
            weights_view("write_weights", "Write weights", after.write_weights),
            weights_view("read_weights", "Read weights", after.read_weights),
            contents_view(after.memory),
        )


class ContentInterface(Interface[ContentControl]):
    r"""Compute keys, key strengths, erase and add vectors from a hidden vector.

    $$k = \phi(\cdot), \quad \beta = \log(1 + e^{\cdot}), \quad e = \sigma(\cdot), \quad a = \phi(\cdot)$$

    with $\phi$ = tanh or the identity.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        squash: apply tanh to keys and add vectors.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.

    Raises:
        ValueError: a size is below 1, or the clip is not positive.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 3.3.1.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        read_heads: int = 1,
        write_heads: int = 1,
        squash: bool = True,
        clip: float | None = 20.0,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, read_heads=read_heads, write_heads=write_heads)
        self.width, self.squash = width, squash
        heads = read_heads + write_heads
        blocks = {
            "keys": torch.zeros(heads * width),
            "strengths": torch.zeros(heads),
            "erase": torch.zeros(write_heads * width),
            "add": torch.zeros(write_heads * width),
        }
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=clip)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> ContentControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        keys, add = (raw[name].unflatten(-1, (-1, self.width)) for name in ("keys", "add"))
        return ContentControl(
            keys=torch.tanh(keys) if self.squash else keys,
            strengths=functional.softplus(raw["strengths"]),
            erase=torch.sigmoid(raw["erase"]).unflatten(-1, (-1, self.width)),
            add=torch.tanh(add) if self.squash else add,
        )
