"""SAM: a Sparse Access Memory, whose heads access a few slots of a memory of any size."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import SparseAccessInterface, SparseAccessMemory
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.fused_schedule import fused_schedule
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.machine.scheduled import OF_THE_SCHEDULE, scheduled
from memtape.models.sam.assembly import machine
from memtape.models.sam.fused import fused_sam
from memtape.sharing.shareable import constructor_arguments


class SAMCell(MachineCell):
    r"""Compute one step of a Sparse Access Memory.

    The controller receives the input and the last read vectors. Each head writes to the slots that it read last or to
    the least recently accessed slot, then reads the few slots nearest to its key (`memtape.memory.SparseAccessMemory`
    has the equations). The output is a linear map of the controller's output and the read vectors.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory; no parameter depends on it, unless the initial memory is learned or random.
        width: size of one slot.
        heads: number of heads; each reads, writes, and clears one of the least used slots in every step.
        nearest: number of slots that a head reads in a step.
        neighbours: "exact" compares a key with every slot that was written; "approximate", with more than 4096 such
            slots, only with those in the nearest cells of an index, for large memories. The reference is always exact.
        controller: kind of controller.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        threshold: sum of read and write weights above which a slot counts as accessed.
        initial_memory: initial contents of the slots: zeros; learned; or random and then fixed.
        initial_reads: initial read vectors: zeros, or learned.
        initial_controller: initial state of the controller: zeros, or learned.
        strengths: activation of the key strengths: oneplus, 1 + softplus; softplus; or none, the paper's plain cosine.
        initial_strength: initial value of every key strength; with many slots, about the logarithm of their number
            gives a slot that matches the key most of the weight.
        squash: apply tanh to keys and add vectors (else linear).
        clip: bound of the absolute value of every entry of the interface vector; none for no bound.
        writing: steps in which the memory is accessed: every one; uniform, in intervals; cached, the same with attention over
            the hidden vectors of the last interval; or random ones.
        writing_steps: number of steps that follow the rule, such as the length of a source; in later ones, such as those of a
            decoder, every step has an access. None for all; random steps need it.
        writing_interval: steps from one access to the next; none for `writing_steps` / (`slots` + 1), rounded down.
        writing_from_zero: count steps from 0, as the authors' code, with `writing_steps` + 1 in the default interval.
        writing_seed: seed of the random steps.
        hold_reads: between accesses the read vectors stay the same, too (else the heads read in each step).
        cache_attention_size: number of units of the attention over cached hidden vectors.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, there are more heads or nearest slots than slots, a choice is unknown, or the
            initial strength is outside the range of strengths.

    References:
        Rae et al. (2016), "Scaling memory-augmented neural networks with sparse reads and writes", arXiv:1610.09027.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 1024,
        width: int = 32,
        heads: int = 4,
        nearest: int = 4,
        neighbours: Literal["exact", "approximate"] = "exact",
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 100,
        controller_layers: int = 1,
        threshold: float = 0.005,
        initial_memory: Literal["zeros", "random", "learned"] = "zeros",
        initial_reads: Literal["learned", "zeros"] = "zeros",
        initial_controller: Literal["learned", "zeros"] = "zeros",
        strengths: Literal["oneplus", "softplus", "none"] = "oneplus",
        initial_strength: float | None = None,
        squash: bool = False,
        clip: float | None = 20.0,
        writing: Literal["every", "uniform", "cached", "random"] = "every",
        writing_steps: int | None = None,
        writing_interval: int | None = None,
        writing_from_zero: bool = False,
        writing_seed: int = 0,
        hold_reads: bool = True,
        cache_attention_size: int = 16,
    ):
        options = constructor_arguments(locals())
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        memory = SparseAccessMemory(
            slots,
            width,
            heads=heads,
            nearest=nearest,
            neighbours=neighbours,
            threshold=threshold,
            initial_memory=initial_memory,
        )
        built = machine(memory, SparseAccessInterface, options)
        self.machine = scheduled(built, slots, **{name: options[name] for name in OF_THE_SCHEDULE})

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_schedule(self.machine, lambda machine: fused_sam(machine, backend))


class SAM(Recurrent[AugmentedState], Resizable):
    """Run a Sparse Access Memory over sequences; the arguments are those of `SAMCell`.

    Example:
        >>> import torch
        >>> from memtape.models.sam.sam import SAM
        >>> sam = SAM(input_size=9, output_size=8, slots=4096)
        >>> ys, state = sam(torch.zeros(2, 7, 9))
        >>> ys.shape, state.memory.memory.shape
        (torch.Size([2, 7, 8]), torch.Size([2, 4096, 32]))
    """

    __init__ = runs(SAMCell)


CARD = ModelCard(
    name="sam",
    summary="Sparse Access Memory: each step reads and writes a few slots of a memory of any size.",
    paper=("rae2016",),
    inputs=("sequences",),
    small={"slots": 12, "width": 3, "heads": 2, "nearest": 3, "controller_size": 4, "initial_memory": "random"},
)
