"""Turing: the memory of the Neural Turing Machine, with content- and location-based addressing."""

import dataclasses
from itertools import zip_longest
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.view import Views
from memtape.memory.content import SIMILARITIES
from memtape.memory.control import HeadParameters
from memtape.memory.program_options import ProgramOptions
from memtape.memory.slot_views import contents_view, gates_view, vectors_view, weights_view
from memtape.memory.slots import InitialMemory, InitialSlots
from memtape.ops.addressing import Similarity

InitialWeights = Literal["learned", "one-hot", "uniform", "zeros"]
INITIAL_WEIGHTS = ("learned", "one-hot", "uniform", "zeros")

INITIAL_FOCUS = 10.0
"""Initial value of the learned logit of slot 0, the others being 0: with 128 slots slot 0 has 99.4% of the weight."""


@state
class TuringState:
    """The tape of slots, and the weights of the heads."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch reads slots"]
    write_weights: Float[Tensor, "*batch writes slots"]


@state
class TuringControl:
    """Head parameters of one step; in the first five fields read heads come first."""

    keys: Float[Tensor, "*batch heads width"]
    strengths: Float[Tensor, "*batch heads"]
    gates: Float[Tensor, "*batch heads"]
    kernel: Float[Tensor, "*batch heads offsets"]
    exponents: Float[Tensor, "*batch heads"]
    erase: Float[Tensor, "*batch writes width"]
    add: Float[Tensor, "*batch writes width"]


class TuringMemory(Memory[TuringState, TuringControl]):
    r"""Address slots by content, interpolation with the last weights, shift and sharpening; read, erase and add.

    $$w^c = \text{content}(M_{t-1}, k, \beta), \quad w^g = g\, w^c + (1 - g)\, w_{t-1}, \quad \tilde w = w^g * s, \quad
    w_t = \tilde w^\gamma / \textstyle\sum \tilde w^\gamma$$

    All weights are computed from $M_{t-1}$; then the heads read and write, in the order given by `read_first`. The
    functions of `memtape.ops` compute the equations.

    Args:
        slots: number of slots.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        similarity: "cosine" or the plain "dot" product.
        read_first: read the memory before the write of the same step (else after it); the paper does not specify it.
        sequential_heads: apply the heads one after another: read head 0, write head 0, read head 1 and so on, each to
            the memory that the previous one wrote (else all erases happen before any add, as in the paper); without
            `read_first` each write head comes before its read head.
        initial_memory: initial contents of the slots: "constant", "even", "learned", "random" or "zeros".
        initial_weights: initial weights of the heads: "learned" (softmax of trained logits, initially focused on slot
            0), "one-hot" (slot 0), "uniform" or "zeros" (the first interpolation scales the content weights, and
            sharpening normalises them).

    Raises:
        ValueError: a size below 1 or an unknown choice.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 3.
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
        sequential_heads: bool = False,
        initial_memory: InitialMemory = "constant",
        initial_weights: InitialWeights = "learned",
    ):
        super().__init__()
        checks.module_sizes(self, slots=slots, width=width, read_heads=read_heads, write_heads=write_heads)
        checks.one_of(SIMILARITIES, similarity=similarity)
        checks.one_of(INITIAL_WEIGHTS, initial_weights=initial_weights)
        self.slots = slots
        self.read_heads, self.write_heads = read_heads, write_heads
        self.similarity: Similarity = similarity
        self.read_first, self.sequential_heads = read_first, sequential_heads
        self.initial_slots = InitialSlots(slots, width, initial_memory)
        self.initial_weights = initial_weights
        if initial_weights == "learned":
            self.initial_logits = nn.Parameter(torch.zeros(read_heads + write_heads, slots))
            with torch.no_grad():
                self.initial_logits[:, 0] = INITIAL_FOCUS
        self.read_size = read_heads * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> TuringState:
        """Return the initial contents and the initial weights of the heads."""
        weights = self._first_weights().to(device=device, dtype=dtype).expand(batch_size, -1, -1)
        read_weights, write_weights = self._split(weights)
        memory = self.initial_slots(batch_size, device=device, dtype=dtype)
        return TuringState(memory=memory, read_weights=read_weights, write_weights=write_weights)

    def address(self, control: TuringControl, state: TuringState) -> TuringState:
        """Compute the weights of all heads: content addressing, interpolation, shift, sharpening."""
        previous = torch.cat([state.read_weights, state.write_weights], dim=1)
        read_weights, write_weights = self._split(self._move_heads(control, state.memory, previous, slice(None)))
        return TuringState(memory=state.memory, read_weights=read_weights, write_weights=write_weights)

    def write(self, control: TuringControl, state: TuringState) -> TuringState:
        """Erase and add with the write weights."""
        memory = ops.erase_and_add(state.memory, state.write_weights, control.erase, control.add)
        return TuringState(memory=memory, read_weights=state.read_weights, write_weights=state.write_weights)

    def read(self, state: TuringState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of all read heads, concatenated."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def look(self, control: TuringControl, state: TuringState) -> tuple[Float[Tensor, "batch read"], TuringState]:
        """Move the read heads and read; the contents and the write heads do not change."""
        moved = self._move_heads(control, state.memory, state.read_weights, slice(self.read_heads))
        after = dataclasses.replace(state, read_weights=moved)
        return self.read(after), after

    def forward(self, control: TuringControl, state: TuringState) -> tuple[Float[Tensor, "batch read"], TuringState]:
        """Take one step."""
        if self.sequential_heads:
            return self._one_after_another(control, state)
        moved = self.address(control, state)
        written = self.write(control, moved)
        return self.read(moved if self.read_first else written), written

    def views(self, control: TuringControl, state: TuringState) -> Views:
        """Return the views: add and read vectors, interpolation gates, weights, and the contents after the step."""
        reads, after = self(control, state)
        heads = (("read", self.read_heads), ("write", self.write_heads))
        names = tuple(f"{kind} {head + 1}" if count > 1 else kind for kind, count in heads for head in range(count))
        return (
            vectors_view("adds", "Adds", control.add),
            vectors_view("reads", "Reads", reads.unflatten(1, (self.read_heads, -1))),
            gates_view("content_gates", "Content gates", control.gates, names),
            weights_view("write_weights", "Write weights", after.write_weights),
            weights_view("read_weights", "Read weights", after.read_weights),
            contents_view(after.memory),
        )

    def _move_heads(self, control: TuringControl, memory: Tensor, previous: Tensor, heads: slice) -> Tensor:
        """Return the new weights of some heads, computed from `memory`."""
        content = ops.content_weights(
            memory, control.keys[:, heads], control.strengths[:, heads], similarity=self.similarity
        )
        blended = ops.interpolate(content, previous, control.gates[:, heads])
        return ops.sharpen(ops.shift(blended, control.kernel[:, heads]), control.exponents[:, heads])

    def _one_after_another(
        self, control: TuringControl, state: TuringState
    ) -> tuple[Float[Tensor, "batch read"], TuringState]:
        memory = state.memory
        reads: list[Tensor] = []
        moved: dict[str, list[Tensor]] = {"read": [], "write": []}

        def act(kind: str, head: int) -> Tensor:
            """Apply one head, and return the memory after it."""
            is_read = kind == "read"
            place = head if is_read else self.read_heads + head
            previous = (state.read_weights if is_read else state.write_weights)[:, head : head + 1]
            weights = self._move_heads(control, memory, previous, slice(place, place + 1))
            moved[kind].append(weights)
            if is_read:
                reads.append(ops.read(memory, weights))
                return memory
            one = slice(head, head + 1)
            return ops.erase_and_add(memory, weights, control.erase[:, one], control.add[:, one])

        kinds = (("read", self.read_heads), ("write", self.write_heads))
        first, second = kinds if self.read_first else reversed(kinds)
        for pair in zip_longest(*[[(kind, head) for head in range(count)] for kind, count in (first, second)]):
            for kind, head in filter(None, pair):
                memory = act(kind, head)
        after = TuringState(
            memory=memory,
            read_weights=torch.cat(moved["read"], dim=1),
            write_weights=torch.cat(moved["write"], dim=1),
        )
        return torch.cat(reads, dim=1).flatten(1), after

    def _first_weights(self) -> Tensor:
        if self.initial_weights == "learned":
            return torch.softmax(self.initial_logits, dim=-1)
        weights = torch.zeros(self.read_heads + self.write_heads, self.slots)
        if self.initial_weights == "one-hot":
            weights[:, 0] = 1
        elif self.initial_weights == "uniform":
            weights += 1 / self.slots
        return weights

    def _split(self, weights: Tensor) -> tuple[Tensor, ...]:
        return weights.split([self.read_heads, self.write_heads], dim=1)


class TuringInterface(Interface[TuringControl]):
    r"""Compute the head parameters from a hidden vector.

    $$k = \phi(\cdot), \quad \beta = \log(1 + e^{\cdot}), \quad g = \sigma(\cdot), \quad s = \operatorname{softmax}(\cdot),
    \quad \gamma = 1 + \log(1 + e^{\cdot}), \quad e = \sigma(\cdot), \quad a = \phi(\cdot)$$

    with $\phi$ = tanh or the identity.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        shift_range: $S$, the largest shift of a head, in slots.
        squash: apply tanh to keys and add vectors.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.
        gate_bias: initial bias of $g$; below 0 a head prefers its last weights to content addressing.
        sharpening_bias: initial bias of $\gamma$; above 0 the weights stay sharp.
        write_shift_bias: initial bias of a write head's shift to the next slot; above 0 the write head advances in
            every step.
        read_stay_bias: initial bias of a read head's shift by 0; above 0 the read head stays at its slot.
        programs: stored programs of each head, in place of the linear layer; None for the layer.

    Raises:
        ValueError: a size below 1, or a clip that is not positive.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 3.3; programs: Le, Tran &
        Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        read_heads: int = 1,
        write_heads: int = 1,
        shift_range: int = 1,
        squash: bool = True,
        clip: float | None = 20.0,
        gate_bias: float = 0.0,
        sharpening_bias: float = 0.0,
        write_shift_bias: float = 0.0,
        read_stay_bias: float = 0.0,
        programs: ProgramOptions | None = None,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, read_heads=read_heads, write_heads=write_heads)
        checks.module_sizes(self, shift_range=shift_range)
        self.width, self.squash = width, squash
        self.offsets = 2 * shift_range + 1
        heads = read_heads + write_heads
        kernel = torch.zeros(heads, self.offsets)
        kernel[read_heads:, shift_range + 1] = write_shift_bias
        kernel[:read_heads, shift_range] = read_stay_bias
        blocks = {
            "keys": torch.zeros(heads * width),
            "strengths": torch.zeros(heads),
            "gates": torch.full((heads,), gate_bias),
            "kernel": kernel.flatten(),
            "exponents": torch.full((heads,), sharpening_bias),
            "erase": torch.zeros(write_heads * width),
            "add": torch.zeros(write_heads * width),
        }
        owners = {name: range(read_heads if name in ("erase", "add") else 0, heads) for name in blocks}
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=clip, programs=programs, heads=owners)

    def views(self, hidden: Float[Tensor, "batch hidden"]) -> Views:
        """Return the view of the weights of the programs; none without programs."""
        return self.head_parameters.views(hidden)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> TuringControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        keys, add = (raw[name].unflatten(-1, (-1, self.width)) for name in ("keys", "add"))
        return TuringControl(
            keys=torch.tanh(keys) if self.squash else keys,
            strengths=functional.softplus(raw["strengths"]),
            gates=torch.sigmoid(raw["gates"]),
            kernel=torch.softmax(raw["kernel"].unflatten(-1, (-1, self.offsets)), dim=-1),
            exponents=1 + functional.softplus(raw["exponents"]),
            erase=torch.sigmoid(raw["erase"]).unflatten(-1, (-1, self.width)),
            add=torch.tanh(add) if self.squash else add,
        )
