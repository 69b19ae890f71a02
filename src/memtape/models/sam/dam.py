"""DAM: a Dense Access Memory, a Sparse Access Memory whose heads see every slot."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import SparseAccessMemory
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.sam.assembly import machine
from memtape.sharing.shareable import constructor_arguments


class DAMCell(MachineCell):
    r"""One step of a Dense Access Memory: SAM with heads that read every slot.

    Reads are a softmax over all slots, writes reach all of them, and the slot that gives way is that of the least discounted
    sum of reading and writing.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory; no parameter depends on it, unless the initial memory is learned or random.
        width: size of one slot.
        heads: number of heads, each of which reads, writes, and clears the least used slot in every step.
        controller: kind of network that works the heads.
        controller_size: number of its hidden units.
        controller_layers: number of its layers.
        usage: which slot gives way: that of the least discounted sum of what was read and written, or, as in SAM, that
            whose last access is longest ago.
        discount: how much of the discounted sum is left after a step.
        threshold: weight of reading and writing above which a slot counts as accessed.
        initial_memory: contents at the start: zeros; learned; or random and then fixed.
        initial_reads: what the first step reads: zeros, or learned.
        initial_controller: state of the controller at the start: zeros, or learned.
        strengths: how narrow a head's focus is: 1 + softplus, softplus, or none for the paper's plain cosine.
        initial_strength: strength of every key before anything is learned; where a head sees many slots, about the logarithm
            of their number lets a slot like the key stand out from the others.
        squash: pass keys and added words through tanh (else linear).
        clip: bound of the heads' raw parameters on both sides; none leaves them free.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, more heads than slots, an unknown choice, a discount outside 0..1, or an initial strength
            outside of the range of strengths.

    References:
        Rae et al. (2016), "Scaling memory-augmented neural networks with sparse reads and writes", arXiv:1610.09027,
        section 3.2 and supplementary material.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 128,
        width: int = 32,
        heads: int = 4,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 100,
        controller_layers: int = 1,
        usage: Literal["discounted", "last_access"] = "discounted",
        discount: float = 0.99,
        threshold: float = 0.005,
        initial_memory: Literal["zeros", "random", "learned"] = "zeros",
        initial_reads: Literal["learned", "zeros"] = "zeros",
        initial_controller: Literal["learned", "zeros"] = "zeros",
        strengths: Literal["oneplus", "softplus", "none"] = "oneplus",
        initial_strength: float | None = None,
        squash: bool = False,
        clip: float | None = 20.0,
    ):
        options = constructor_arguments(locals())
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        memory = SparseAccessMemory(
            slots,
            width,
            heads=heads,
            nearest=None,
            usage=usage,
            discount=discount,
            threshold=threshold,
            initial_memory=initial_memory,
        )
        self.machine = machine(memory, options)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return None: there is no fused machine of this kind yet."""
        return None


class DAM(Recurrent[AugmentedState], Resizable):
    """A Dense Access Memory run over sequences; the arguments are those of `DAMCell`.

    Example:
        >>> import torch
        >>> from memtape.models.sam.dam import DAM
        >>> ys, state = DAM(input_size=9, output_size=8, slots=64)(torch.zeros(2, 7, 9))
        >>> state.memory.read_weights.shape
        torch.Size([2, 4, 64])
    """

    __init__ = runs(DAMCell)


CARD = ModelCard(
    name="dam",
    summary="Dense Access Memory: a Sparse Access Memory with weights on all slots, for comparison.",
    paper=("rae2016",),
    inputs=("sequences",),
    small={"slots": 5, "width": 3, "heads": 2, "controller_size": 4, "initial_memory": "random"},
)
