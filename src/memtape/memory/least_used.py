"""Least used: the memory of Santoro et al., whose heads write to the slots read last or to the least used slots."""

from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.view import SLOT, View, Views
from memtape.memory.control import HeadParameters
from memtape.memory.program_options import ProgramOptions
from memtape.memory.slot_views import contents_view, gates_view, vectors_view, weights_view
from memtape.memory.slots import InitialMemory, InitialSlots

InitialWeights = Literal["one-hot", "uniform", "zeros"]
INITIAL_WEIGHTS = ("one-hot", "uniform", "zeros")


@state
class LeastUsedState:
    """The slots, the last read weights of each head, and the usage of each slot."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch heads slots"]
    usage: Float[Tensor, "*batch slots"]


@state
class LeastUsedControl:
    """Head parameters of one step; every head reads and writes."""

    keys: Float[Tensor, "*batch heads width"]
    add: Float[Tensor, "*batch heads width"]
    gates: Float[Tensor, "*batch heads"]


class LeastUsedMemory(Memory[LeastUsedState, LeastUsedControl]):
    r"""Write to the slots read last or to the least used slots, then read by content: least recently used access (LRUA).

    $$w^w_{t,h} = g_h w^r_{t-1,h} + (1 - g_h)\, \mathbb{I}_h, \qquad
    M_t = \operatorname{cleared}(M_{t-1}) + \textstyle\sum_h w^w_{t,h} a_h^\top$$

    $$w^r_{t,h} = \operatorname{softmax}(K(k_h, M_t)), \qquad
    u_t = \gamma u_{t-1} + \textstyle\sum_h (w^r_{t,h} + w^w_{t,h}), \qquad r_h = M_t^\top w^r_{t,h}$$

    with the cosine similarity $K$, and $\mathbb{I}_h$ one at the slot that is the $h$-th least used by $u_{t-1}$. Only the
    first of these slots is cleared. The usage has no gradient. The functions of `memtape.ops` compute the equations.

    Slots that were never written have the same usage except for rounding; usages that are equal within
    `memtape.ops.near_ties.NEAR_TIE` are in the order of the slot numbers, so that a fresh memory fills from its first slots
    on, on each machine.

    Args:
        slots: number of slots.
        width: size of one slot.
        heads: number of heads; each reads and writes in every step.
        usage_decay: $\gamma$, factor of the usage per step.
        initial_memory: initial contents of the slots: "constant", "even", "learned", "random" or "zeros".
        initial_weights: initial read weights of each head and initial usage: "one-hot" (slot 0), "uniform" or "zeros".

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, there are more heads than slots, a choice is unknown, or the decay is outside 0..1.

    References:
        Santoro et al. (2016), "One-shot learning with memory-augmented neural networks", arXiv:1605.06065, section 3.
    """

    def __init__(
        self,
        slots: int,
        width: int,
        *,
        heads: int = 1,
        usage_decay: float = 0.95,
        initial_memory: InitialMemory = "constant",
        initial_weights: InitialWeights = "one-hot",
    ):
        super().__init__()
        checks.module_sizes(self, slots=slots, width=width, heads=heads)
        checks.probabilities(usage_decay=usage_decay)
        checks.one_of(INITIAL_WEIGHTS, initial_weights=initial_weights)
        if heads > slots:
            raise ValueError(
                f"heads is {heads}, but the memory has {slots} slots, and each of the heads needs its own least used slot; "
                "give more slots or fewer heads"
            )
        self.slots, self.heads, self.usage_decay = slots, heads, usage_decay
        self.initial_slots = InitialSlots(slots, width, initial_memory)
        self.initial_weights = initial_weights
        self.read_size = heads * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LeastUsedState:
        """Return the initial slots, read weights and usage."""
        level = 1 / self.slots if self.initial_weights == "uniform" else 0.0
        weights = torch.full((self.slots,), level, device=device, dtype=dtype)
        if self.initial_weights == "one-hot":
            weights[0] = 1
        return LeastUsedState(
            memory=self.initial_slots(batch_size, device=device, dtype=dtype),
            read_weights=weights.expand(batch_size, self.heads, -1),
            usage=weights.expand(batch_size, -1),
        )

    def write(self, control: LeastUsedControl, state: LeastUsedState) -> LeastUsedState:
        """Clear the least used slot, and add each head's vector with its write weights."""
        least, writing = self.writing(control, state)
        memory = ops.clear_and_add(state.memory, least[:, :1], writing, control.add)
        return LeastUsedState(memory=memory, read_weights=state.read_weights, usage=state.usage)

    def address(self, control: LeastUsedControl, state: LeastUsedState) -> LeastUsedState:
        """Compute the read weights by content, and update the usage with the write and the read weights."""
        _, writing = self.writing(control, state)
        return self._addressed(control, state, writing)

    def read(self, state: LeastUsedState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of all heads, concatenated."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def look(
        self, control: LeastUsedControl, state: LeastUsedState
    ) -> tuple[Float[Tensor, "batch read"], LeastUsedState]:
        """Move the heads and read; the contents do not change, and only the reads count in the usage."""
        after = self._addressed(control, state, torch.zeros_like(state.read_weights))
        return self.read(after), after

    def forward(
        self, control: LeastUsedControl, state: LeastUsedState
    ) -> tuple[Float[Tensor, "batch read"], LeastUsedState]:
        """Take one step: write, then address and read."""
        least, writing = self.writing(control, state)
        memory = ops.clear_and_add(state.memory, least[:, :1], writing, control.add)
        written = LeastUsedState(memory=memory, read_weights=state.read_weights, usage=state.usage)
        after = self._addressed(control, written, writing)
        return self.read(after), after

    def writing(
        self, control: LeastUsedControl, state: LeastUsedState
    ) -> tuple[Int[Tensor, "batch heads"], Float[Tensor, "batch heads slots"]]:
        """Return the least used slots, one for each head, and the write weights."""
        least = ops.least_used(state.usage, self.heads)
        return least, ops.write_weights(state.read_weights, least, torch.ones_like(control.gates), control.gates)

    def views(self, control: LeastUsedControl, state: LeastUsedState) -> Views:
        """Return the views: add and read vectors, gates, weights, usage, and the contents after the step."""
        reads, after = self(control, state)
        _, writing = self.writing(control, state)
        usage = View(name="usage", title="Usage", values=after.usage, axes=(SLOT,), scale="amount", measure="usage")
        return (
            vectors_view("adds", "Adds", control.add),
            vectors_view("reads", "Reads", reads.unflatten(1, (self.heads, -1))),
            gates_view("rewrite_gates", "Rewrite gates", control.gates),
            weights_view("write_weights", "Write weights", writing),
            weights_view("read_weights", "Read weights", after.read_weights),
            usage,
            contents_view(after.memory),
        )

    def _addressed(
        self, control: LeastUsedControl, state: LeastUsedState, writing: Float[Tensor, "batch heads slots"]
    ) -> LeastUsedState:
        reading = ops.content_weights(state.memory, control.keys, torch.ones_like(control.gates))
        usage = ops.discounted_usage(state.usage, writing + reading, self.usage_decay)
        return LeastUsedState(memory=state.memory, read_weights=reading, usage=usage)


class LeastUsedInterface(Interface[LeastUsedControl]):
    r"""Compute keys, add vectors and gates from a hidden vector.

    $$k = \phi(\cdot), \quad a = \phi(\cdot) \text{ or } k, \quad g = \sigma(\cdot)$$

    with $\phi$ = tanh or the identity.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        heads: number of heads.
        add_keys: add the keys, as in the paper (else add vectors of their own).
        squash: apply tanh to keys and add vectors.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.
        programs: stored programs of each head, in place of the linear layer; None for the layer.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the clip is not positive.

    References:
        Santoro et al. (2016), arXiv:1605.06065, section 3; add vectors of their own: its public implementation ntm-one-shot;
        programs: Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        heads: int = 1,
        add_keys: bool = False,
        squash: bool = True,
        clip: float | None = 20.0,
        programs: ProgramOptions | None = None,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, heads=heads)
        self.width, self.squash = width, squash
        blocks = {
            "keys": torch.zeros(heads * width),
            "add": torch.zeros(heads * width),
            "gates": torch.zeros(heads),
        }
        if add_keys:
            del blocks["add"]
        owners = dict.fromkeys(blocks, range(heads))
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=clip, programs=programs, heads=owners)

    def views(self, hidden: Float[Tensor, "batch hidden"]) -> Views:
        """Return the view of the weights of the programs; none without programs."""
        return self.head_parameters.views(hidden)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> LeastUsedControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        keys, add = (raw[name].unflatten(-1, (-1, self.width)) for name in ("keys", "add" if "add" in raw else "keys"))
        return LeastUsedControl(
            keys=torch.tanh(keys) if self.squash else keys,
            add=torch.tanh(add) if self.squash else add,
            gates=torch.sigmoid(raw["gates"]),
        )
