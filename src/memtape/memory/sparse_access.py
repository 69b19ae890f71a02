"""Sparse access: the memory of SAM, whose heads access a few slots in each step, and of DAM, its dense form."""

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
from memtape.memory.slot_views import contents_view, gates_view, vectors_view, weights_view
from memtape.memory.slots import InitialSlots
from memtape.memory.strengths import raw_strength, strengths_of

Neighbours = Literal["exact", "approximate"]
NEIGHBOURS = ("exact", "approximate")
Usage = Literal["last_access", "discounted"]
MOST_SLOTS = 2**31 - 4
USAGES = ("last_access", "discounted")
InitialContents = Literal["zeros", "random", "learned"]
INITIAL_CONTENTS = ("zeros", "random", "learned")
Strengths = Literal["oneplus", "softplus", "none"]
STRENGTHS = ("oneplus", "softplus", "none")


@state
class SparseAccessState:
    """The slots, the last read weights of each head, and the usage of each slot."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch heads slots"]
    usage: Float[Tensor, "*batch slots"]


@state
class SparseAccessControl:
    """Head parameters of one step; every head reads and writes."""

    keys: Float[Tensor, "*batch heads width"]
    strengths: Float[Tensor, "*batch heads"]
    add: Float[Tensor, "*batch heads width"]
    write_gates: Float[Tensor, "*batch heads"]
    gates: Float[Tensor, "*batch heads"]


class SparseAccessMemory(Memory[SparseAccessState, SparseAccessControl]):
    r"""Write to the slots read last or to the least used slots, then read the slots nearest to the keys.

    $$w^W_t = \alpha_t (\gamma_t w^R_{t-1} + (1 - \gamma_t) \mathbb{I}^U_t), \qquad
    M_t = \operatorname{cleared}(M_{t-1}) + \textstyle\sum_h w^W_{t,h} a_{t,h}^\top, \qquad
    r_t = \textstyle\sum_{i \in \text{nearest}} w^R_t[i] M_t[i]$$

    Head $h$ uses the $h$-th least used slot; all heads clear theirs before any head adds. The functions of
    `memtape.ops` compute the equations.

    Args:
        slots: number of slots.
        width: size of one slot.
        heads: number of heads; each reads, writes, and clears one of the least used slots in every step.
        nearest: number of slots that a head reads in a step; None for all (DAM).
        neighbours: whether the fused kernels find these by "exact" search, or in a large memory by "approximate"
            search; the reference here is always exact.
        usage: the measure of usage: "last_access", the step of the last access with a weight above `threshold`, or
            "discounted", the discounted sum of all read and write weights.
        threshold: weight above which a slot counts as accessed.
        discount: factor of the discounted sum per step.
        initial_memory: initial contents of the slots: "zeros", "random" or "learned".

    Raises:
        ValueError: a size is below 1, there are more heads or nearest slots than slots, a choice is unknown, or the
            discount is outside 0..1.

    References:
        Rae et al. (2016), "Scaling memory-augmented neural networks with sparse reads and writes", arXiv:1610.09027,
        section 3.
    """

    def __init__(
        self,
        slots: int,
        width: int,
        *,
        heads: int = 1,
        nearest: int | None = 4,
        neighbours: Neighbours = "exact",
        usage: Usage = "last_access",
        threshold: float = 0.005,
        discount: float = 0.99,
        initial_memory: InitialContents = "zeros",
    ):
        super().__init__()
        checks.module_sizes(self, slots=slots, width=width, heads=heads)
        if slots > MOST_SLOTS:
            raise ValueError(
                f"slots is {slots}, but indices of 32 bits distinguish at most {MOST_SLOTS} slots; give fewer slots"
            )
        checks.one_of(NEIGHBOURS, neighbours=neighbours)
        checks.one_of(USAGES, usage=usage)
        checks.one_of(INITIAL_CONTENTS, initial_memory=initial_memory)
        checks.probabilities(discount=discount)
        if nearest is not None:
            checks.module_sizes(self, nearest=nearest)
        for name, count in (("heads", heads), ("nearest", nearest or 1)):
            if count > slots:
                raise ValueError(
                    f"{name} is {count}, but the memory has {slots} slots, and each of the {name} needs its own slot; "
                    f"give more slots or a smaller {name}"
                )
        self.slots, self.width, self.heads = slots, width, heads
        self.nearest, self.neighbours, self.usage = nearest, neighbours, usage
        self.threshold, self.discount = threshold, discount
        self.initial_slots = InitialSlots(slots, width, initial_memory)
        self.read_size = heads * width

    @property
    def sparse(self) -> bool:
        """Whether a step accesses only a few slots."""
        return self.nearest is not None and self.usage == "last_access"

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SparseAccessState:
        """Return the initial slots, with read weights and usage of zero."""
        zero = torch.zeros((), device=device, dtype=dtype)
        return SparseAccessState(
            memory=self.initial_slots(batch_size, device=device, dtype=dtype),
            read_weights=zero.expand(batch_size, self.heads, self.slots),
            usage=zero.expand(batch_size, self.slots),
        )

    def write(self, control: SparseAccessControl, state: SparseAccessState) -> SparseAccessState:
        """Clear the least used slots, and add each head's vector to the slots it writes to."""
        least, weights = self.writing(control, state)
        memory = ops.clear_and_add(state.memory, least, weights, control.add)
        return SparseAccessState(memory=memory, read_weights=state.read_weights, usage=state.usage)

    def address(self, control: SparseAccessControl, state: SparseAccessState) -> SparseAccessState:
        """Compute the read weights by content, and update the usage with the write and the read weights."""
        _, writing = self.writing(control, state)
        reading = ops.nearest_weights(state.memory, control.keys, control.strengths, self.nearest)
        if self.usage == "last_access":
            usage = ops.last_access(state.usage, writing + reading, self.threshold)
        else:
            usage = ops.discounted_usage(state.usage, writing + reading, self.discount)
        return SparseAccessState(memory=state.memory, read_weights=reading, usage=usage)

    def read(self, state: SparseAccessState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of all heads, concatenated."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def forward(
        self, control: SparseAccessControl, state: SparseAccessState
    ) -> tuple[Float[Tensor, "batch read"], SparseAccessState]:
        """Take one step: write, then address and read."""
        moved = self.address(control, self.write(control, state))
        return self.read(moved), moved

    def writing(
        self, control: SparseAccessControl, state: SparseAccessState
    ) -> tuple[Int[Tensor, "batch heads"], Float[Tensor, "batch heads slots"]]:
        """Return the least used slots, one for each head, and the write weights."""
        usage = state.usage.detach()
        if self.usage == "last_access":
            # near ties are relative for values above 1: relative to the latest, steps stay distinct whatever their
            # number
            steps = usage.round()
            usage = steps - steps.amax(-1, keepdim=True)
        least = ops.least_used(usage, self.heads)
        return least, ops.write_weights(state.read_weights, least, control.write_gates, control.gates)

    def views(self, control: SparseAccessControl, state: SparseAccessState) -> Views:
        """Return the views: add and read vectors, gates, weights, usage, and the contents after the step."""
        reads, after = self(control, state)
        return self.views_of(control, state, reads, after)

    def views_of(
        self,
        control: SparseAccessControl,
        before: SparseAccessState,
        reads: Float[Tensor, "batch read"],
        after: SparseAccessState,
    ) -> Views:
        """Return the views of a completed step.

        Args:
            control: the control of the step.
            before: the memory before the step.
            reads: the read vectors of the step.
            after: the memory after the step.
        """
        _, writing = self.writing(control, before)
        last = self.usage == "last_access"
        usage = View(
            name="last_access" if last else "usage",
            title="Last access" if last else "Usage",
            values=after.usage,
            axes=(SLOT,),
            scale="amount",
            measure="step" if last else "usage",
        )
        return (
            vectors_view("adds", "Adds", control.add),
            vectors_view("reads", "Reads", reads.unflatten(1, (self.heads, -1))),
            gates_view("write_gates", "Write gates", control.write_gates),
            gates_view("rewrite_gates", "Rewrite gates", control.gates),
            weights_view("write_weights", "Write weights", writing),
            weights_view("read_weights", "Read weights", after.read_weights),
            usage,
            contents_view(after.memory),
        )


class SparseAccessInterface(Interface[SparseAccessControl]):
    r"""Compute the head parameters from a hidden vector.

    $$q = \phi(\cdot), \quad a = \phi(\cdot), \quad \alpha = \sigma(\cdot), \quad \gamma = \sigma(\cdot), \quad
    \beta = 1 + \log(1 + e^{\cdot})$$

    with $\phi$ = the identity or tanh.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        heads: number of heads.
        strengths: activation of $\beta$: "oneplus" as above; "softplus" without the 1; "none" for $\beta = 1$, the
            paper's plain cosine, which gives flat weights.
        initial_strength: initial value of every key strength; with many slots, about the logarithm of their number
            gives a slot that matches the key most of the weight. None for 1.7 with oneplus and 0.7 with softplus.
        squash: apply tanh to keys and add vectors.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.

    Raises:
        ValueError: a size is below 1, a choice is unknown, the initial strength is outside the range of strengths or is
            given without strengths, or the clip is not positive.

    References:
        Rae et al. (2016), arXiv:1610.09027, section 3.3 and supplementary material; strengths as in the DNC.
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
        checks.module_sizes(self, width=width, heads=heads)
        checks.one_of(STRENGTHS, strengths=strengths)
        if initial_strength is not None and strengths == "none":
            raise ValueError(
                f"initial_strength is {initial_strength}, but strengths are none; leave it out or give them a range"
            )
        self.width, self.heads, self.squash = width, heads, squash
        self.strengths: Strengths = strengths
        blocks = {
            "keys": torch.zeros(heads * width),
            "add": torch.zeros(heads * width),
            "write_gates": torch.zeros(heads),
            "gates": torch.zeros(heads),
        }
        if strengths != "none":
            first = 0.0 if initial_strength is None else raw_strength(initial_strength, strengths)
            blocks["strengths"] = torch.full((heads,), first)
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=clip)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> SparseAccessControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        keys, add = (raw[name].unflatten(-1, (-1, self.width)) for name in ("keys", "add"))
        return SparseAccessControl(
            keys=torch.tanh(keys) if self.squash else keys,
            strengths=self._strengths(raw),
            add=torch.tanh(add) if self.squash else add,
            write_gates=torch.sigmoid(raw["write_gates"]),
            gates=torch.sigmoid(raw["gates"]),
        )

    def _strengths(self, raw: dict[str, Tensor]) -> Tensor:
        if self.strengths == "none":
            return torch.ones_like(raw["gates"])
        return strengths_of(raw["strengths"], self.strengths)
