"""Sparse access: the memory of SAM, of which each head reads and writes a few slots in a step, and its dense twin's, DAM."""

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
USAGES = ("last_access", "discounted")
InitialContents = Literal["zeros", "random", "learned"]
INITIAL_CONTENTS = ("zeros", "random", "learned")
Strengths = Literal["oneplus", "softplus", "none"]
STRENGTHS = ("oneplus", "softplus", "none")


@state
class SparseAccessState:
    """The slots, where each head read last, and how much in use each slot is."""

    memory: Float[Tensor, "*batch slots width"]
    read_weights: Float[Tensor, "*batch heads slots"]
    usage: Float[Tensor, "*batch slots"]


@state
class SparseAccessControl:
    """What the heads are told in one step; a head reads and writes."""

    keys: Float[Tensor, "*batch heads width"]
    strengths: Float[Tensor, "*batch heads"]
    add: Float[Tensor, "*batch heads width"]
    write_gates: Float[Tensor, "*batch heads"]
    gates: Float[Tensor, "*batch heads"]


class SparseAccessMemory(Memory[SparseAccessState, SparseAccessControl]):
    r"""Write to what was read last or to the least used slots, then read the slots nearest to the keys.

    $$w^W_t = \alpha_t (\gamma_t w^R_{t-1} + (1 - \gamma_t) \mathbb{I}^U_t), \qquad
    M_t = \operatorname{cleared}(M_{t-1}) + \textstyle\sum_h w^W_{t,h} a_{t,h}^\top, \qquad
    r_t = \textstyle\sum_{i \in \text{nearest}} w^R_t[i] M_t[i]$$

    Head $h$ has the $h$-th least used slot of a step to itself; all heads clear theirs before any head adds. The equations
    are the functions of `memtape.ops`.

    Args:
        slots: number of slots.
        width: size of one slot.
        heads: number of heads, each of which reads, writes, and clears the least used slot in every step.
        nearest: number of slots that a head reads in a step; None for all (DAM).
        neighbours: whether the fused twins look for these by "exact" search, or of a large memory by "approximate" one; the
            steps here are always exact.
        usage: the least used slot is that whose "last_access", above `threshold`, is longest ago, or that of the least
            "discounted" sum of what was ever read and written.
        threshold: weight above which a slot counts as accessed.
        discount: how much of the discounted sum is left after a step.
        initial_memory: what a sequence begins from: "zeros", "random" or "learned".

    Raises:
        ValueError: a size below 1, more heads or nearest slots than slots, an unknown choice, a discount outside 0..1.

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
        checks.one_of(NEIGHBOURS, neighbours=neighbours)
        checks.one_of(USAGES, usage=usage)
        checks.one_of(INITIAL_CONTENTS, initial_memory=initial_memory)
        checks.probabilities(discount=discount)
        if nearest is not None:
            checks.module_sizes(self, nearest=nearest)
        for name, count in (("heads", heads), ("nearest", nearest or 1)):
            if count > slots:
                raise ValueError(
                    f"{name} is {count}, but the memory has {slots} slots, and each of the {name} needs one of its own; "
                    f"give more slots or a smaller {name}"
                )
        self.slots, self.width, self.heads = slots, width, heads
        self.nearest, self.neighbours, self.usage = nearest, neighbours, usage
        self.threshold, self.discount = threshold, discount
        self.initial_slots = InitialSlots(slots, width, initial_memory)
        self.read_size = heads * width

    @property
    def sparse(self) -> bool:
        """Whether a step visits a few slots only."""
        return self.nearest is not None and self.usage == "last_access"

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SparseAccessState:
        """Return the initial slots, with heads that have read nowhere and slots that were never used."""
        zero = torch.zeros((), device=device, dtype=dtype)
        return SparseAccessState(
            memory=self.initial_slots(batch_size, device=device, dtype=dtype),
            read_weights=zero.expand(batch_size, self.heads, self.slots),
            usage=zero.expand(batch_size, self.slots),
        )

    def write(self, control: SparseAccessControl, state: SparseAccessState) -> SparseAccessState:
        """Clear the slots that give way and add each head's word where it writes."""
        least, weights = self.writing(control, state)
        memory = ops.clear_and_add(state.memory, least, weights, control.add)
        return SparseAccessState(memory=memory, read_weights=state.read_weights, usage=state.usage)

    def address(self, control: SparseAccessControl, state: SparseAccessState) -> SparseAccessState:
        """Look up where to read, and note what is in use: where the heads have written and where they read now."""
        _, writing = self.writing(control, state)
        reading = ops.nearest_weights(state.memory, control.keys, control.strengths, self.nearest)
        if self.usage == "last_access":
            usage = ops.last_access(state.usage, writing + reading, self.threshold)
        else:
            usage = ops.discounted_usage(state.usage, writing + reading, self.discount)
        return SparseAccessState(memory=state.memory, read_weights=reading, usage=usage)

    def read(self, state: SparseAccessState) -> Float[Tensor, "batch read"]:
        """Return what the heads see, one after another."""
        return ops.read(state.memory, state.read_weights).flatten(1)

    def forward(
        self, control: SparseAccessControl, state: SparseAccessState
    ) -> tuple[Float[Tensor, "batch read"], SparseAccessState]:
        """Take one step: write, then look up and read."""
        moved = self.address(control, self.write(control, state))
        return self.read(moved), moved

    def writing(
        self, control: SparseAccessControl, state: SparseAccessState
    ) -> tuple[Int[Tensor, "batch heads"], Float[Tensor, "batch heads slots"]]:
        """Return the slots that give way, one for each head, and the write weights."""
        usage = state.usage.detach()
        if self.usage == "last_access":
            # differences of values above 1 are relative: counted down from the latest, steps stay apart however many they are
            steps = usage.round()
            usage = steps - steps.amax(-1, keepdim=True)
        least = ops.least_used(usage, self.heads)
        return least, ops.write_weights(state.read_weights, least, control.write_gates, control.gates)

    def views(self, control: SparseAccessControl, state: SparseAccessState) -> Views:
        """Return what is added and read, the gates, the weights, when slots were used last, and the contents after."""
        reads, after = self(control, state)
        return self.views_of(control, state, reads, after)

    def views_of(
        self,
        control: SparseAccessControl,
        before: SparseAccessState,
        reads: Float[Tensor, "batch read"],
        after: SparseAccessState,
    ) -> Views:
        """Return the views of a step that was taken.

        Args:
            control: what the heads were given.
            before: the memory before the step, from which the heads write.
            reads: what they read.
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
    r"""Turn a hidden vector into what every head is told.

    $$q = \phi(\cdot), \quad a = \phi(\cdot), \quad \alpha = \sigma(\cdot), \quad \gamma = \sigma(\cdot), \quad
    \beta = 1 + \log(1 + e^{\cdot})$$

    with $\phi$ = the identity or tanh.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        heads: number of heads.
        strengths: how $\beta$ comes about: "oneplus" as above; "softplus" without the 1; "none", the paper's plain cosine,
            which is 1 throughout and leaves a flat focus.
        initial_strength: strength of every key before anything is learned; where a head sees many slots, about the logarithm
            of their number lets a slot like the key stand out from the others. None for 1.7 of oneplus and 0.7 of softplus.
        squash: pass keys and added words through tanh.
        clip: bound of every raw parameter on both sides; None leaves them free.

    Raises:
        ValueError: a size below 1, an unknown choice, an initial strength outside of the range of strengths or where there
            are none, or a clip that is not positive.

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
        """Return the control that the hidden vector stands for."""
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
