"""DAM: a Dense Access Memory, the dense form of the Sparse Access Memory."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import SparseAccessInterface, SparseAccessMemory
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.sam.assembly import machine
from memtape.sharing.shareable import constructor_arguments


class DAMCell(MachineCell):
    r"""Compute one step of a Dense Access Memory: SAM with heads that read every slot.

    Read weights are a softmax over all slots, writes go to all slots, and the least used slot is that with the smallest
    discounted sum of read and write weights.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory; no parameter depends on it, unless the initial memory is learned or random.
        width: size of one slot.
        heads: number of heads; each reads, writes, and clears one of the least used slots in every step.
        controller: kind of controller.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        usage: definition of the least used slot: smallest discounted sum of read and write weights, or, as in SAM, the
            earliest last access.
        discount: factor of the discounted sum per step.
        threshold: sum of read and write weights above which a slot counts as accessed.
        initial_memory: initial contents of the slots: zeros; learned; or random and then fixed.
        initial_reads: initial read vectors: zeros, or learned.
        initial_controller: initial state of the controller: zeros, or learned.
        strengths: activation of the key strengths: oneplus, 1 + softplus; softplus; or none, the paper's plain cosine.
        initial_strength: initial value of every key strength; with many slots, about the logarithm of their number
            gives a slot that matches the key most of the weight.
        squash: apply tanh to keys and add vectors (else linear).
        clip: bound of the absolute value of every entry of the interface vector; none for no bound.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, there are more heads than slots, a choice is unknown, the discount is outside
            0..1, or the initial strength is outside the range of strengths.

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
        self.machine = machine(memory, SparseAccessInterface, options)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return None, since there is no fused kernel of this machine yet."""
        return None


class DAM(Recurrent[AugmentedState], Resizable):
    """Run a Dense Access Memory over sequences; the arguments are those of `DAMCell`.

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
