"""Sparse computer: the SDNC, a Differentiable Neural Computer whose heads see a few slots."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import SparseComputerMemory
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.sam.assembly import machine
from memtape.models.sam.fused import fused_sam
from memtape.sharing.shareable import constructor_arguments


class SDNCCell(MachineCell):
    r"""One step of a Sparse Differentiable Neural Computer: SAM with links between slots that were written in succession.

    Each head blends, as in the DNC, what is nearest to its key with what was written right before and right after what it read
    last (`memtape.memory.SparseComputerMemory` has the equations); the output is a linear map of the controller's output and
    the reads.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory; no parameter depends on it, unless the initial memory is learned or random.
        width: size of one slot.
        heads: number of heads, each of which reads, writes, and clears the least used slot in every step.
        nearest: number of slots that a head reads in a step.
        links: number of links that a slot has in each direction.
        neighbours: "exact" compares a key with every slot that was ever written; "approximate", beyond 4096 of them, with
            those in the nearest cells, for large memories. Single steps, on the reference backend, are always exact.
        controller: kind of network that works the heads.
        controller_size: number of its hidden units.
        controller_layers: number of its layers.
        threshold: weight of reading and writing above which a slot counts as accessed.
        initial_memory: contents at the start: zeros; learned; or random and then fixed.
        initial_reads: what the first step reads: zeros, or learned.
        initial_controller: state of the controller at the start: zeros, or learned.
        strengths: how narrow a head's focus is among its nearest slots: 1 + softplus, softplus, or none for the paper's
            plain cosine.
        initial_strength: strength of every key before anything is learned; where a head sees many slots, about the logarithm
            of their number lets a slot like the key stand out from the others.
        squash: pass keys and added words through tanh (else linear).
        clip: bound of the heads' raw parameters on both sides; none leaves them free.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, more heads or nearest slots than slots, an unknown choice, or an initial strength
            outside of the range of strengths.

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
        links: int = 8,
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
    ):
        options = constructor_arguments(locals())
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        memory = SparseComputerMemory(
            slots,
            width,
            heads=heads,
            nearest=nearest,
            links=links,
            neighbours=neighbours,
            threshold=threshold,
            initial_memory=initial_memory,
        )
        self.machine = machine(memory, options)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused machine of a backend, None where there is none or an option asks for single steps."""
        return fused_sam(self.machine, backend)


class SDNC(Recurrent[AugmentedState], Resizable):
    """A Sparse Differentiable Neural Computer run over sequences; the arguments are those of `SDNCCell`.

    Example:
        >>> import torch
        >>> from memtape.models.sam.sdnc import SDNC
        >>> ys, state = SDNC(input_size=9, output_size=8, slots=64)(torch.zeros(2, 7, 9))
        >>> ys.shape, state.memory.links.before.places.shape
        (torch.Size([2, 7, 8]), torch.Size([2, 64, 8]))
    """

    __init__ = runs(SDNCCell)


CARD = ModelCard(
    name="sdnc",
    summary="Sparse Differentiable Neural Computer: a Sparse Access Memory that also follows links of order.",
    paper=("rae2016",),
    inputs=("sequences",),
    small={
        "slots": 9,
        "width": 3,
        "heads": 2,
        "nearest": 3,
        "links": 4,
        "controller_size": 4,
        "initial_memory": "random",
    },
)
