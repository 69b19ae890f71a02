"""DNC: the Differentiable Neural Computer, a controller with a memory that allocates, frees and links its slots."""

from typing import Literal

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.models.dnc.assembly import SIZES, machine
from memtape.models.dnc.fused import fused_dnc
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.sharing.shareable import constructor_arguments


class DNCCell(MachineCell):
    r"""One step of a Differentiable Neural Computer.

    The controller sees the input and what was read in the step before, and tells every head what to look for, whether to
    write to a free slot or to one that it looks up, what to free, and whether to read by content or what was written next or
    before; the memory is written, then read (`memtape.memory.DNCMemory` has the equations); the output is a linear map of
    the controller's output and the reads of the same step.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        controller: kind of network that works the heads.
        controller_size: number of hidden units of each of its layers.
        controller_layers: number of its layers.
        controller_shortcuts: let each layer see the input, and the heads and the output see all layers, as in the paper (else
            each layer sees the one below it, and only the top one is seen).
        controller_clip: bound of the controller's state and output on both sides; none leaves them free, as in the paper,
            20 is that of DeepMind's code.
        read_feedback: let the controller see what was read in the step before (else only the heads and the output know what is
            in the memory).
        controller_gain: how far its initial weights spread, 1 being usual.
        links: what is known of the order of writes: the strength of every link between two slots, only the strongest links
            of each slot, or nothing; without links heads read by content alone.
        link_size: how many links of a slot are kept; none means 8 of sparse links, others have no such size.
        masked: let the heads choose which columns of a slot they compare with their keys.
        mask_floor: how much of every column they always compare, of masked look-ups.
        deallocate: erase what is freed (else it stays until it is written over).
        sharpen_links: let the read heads choose how sharply they follow links.
        strengths: range of the keys' strengths: oneplus, from 1 on, or softplus, from 0 on.
        initial_strength: strength of every key before anything is learned; where there are many slots, about the logarithm of
            their number lets a slot like the key stand out from the empty ones. None for 1.7 of oneplus and 0.7 of softplus.
        squash: pass keys and added vectors through tanh (else linear, as in the paper).
        clip: bound of the heads' raw parameters on both sides; none leaves them free, as in the paper.
        bypass_dropout: in training, the probability that a component of the controller's output is dropped on its way to
            the output, but not to the heads, so that the answer must come through the memory.
        layer_norm: normalise the controller's output on its way to the heads, and within the controller if it is lstm or gru.
        usage_gradient: let gradients flow through where was written into what is used.
        usage_epsilon: usages are raised by this before slots are allocated; 0 in the paper, 1e-6 in most code.
        usage_tolerance: slots whose usages differ by no more are allocated in their order, so that rounding does not choose; 0
            in most code.
        norm_epsilon: what is added to the square of a length in a look-up; 1e-6 in DeepMind's code.
        product_epsilon: what is added to a product of two lengths in a look-up; 1e-6 in most code.
        output_clip: bound of the outputs on both sides; none leaves them free, as in the paper, 20 is that of DeepMind's code.
        initial_memory: contents at the start: zeros, 1e-6 everywhere, 1 / (slots times width) everywhere, learned, or random
            and then fixed.
        initial_weights: where the heads are at the start: nowhere (zeros), 1e-6 everywhere, or random and then fixed.
        initial_reads: what the first step has read: zeros, 1e-6 everywhere, or learned.
        initial_controller: state of the controller at the start: zeros, or learned.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, a number out of its range, an unknown choice, or an option of links or masks that there are
            not.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101; `masked`, `deallocate` and `sharpen_links`: Csordas & Schmidhuber (2019), "Improving
        differentiable neural computers through memory masking, de-allocation, and link distribution sharpness control",
        arXiv:1904.10278; `bypass_dropout`, `layer_norm` and no links: Franke, Niehues & Waibel (2018), "Robust and scalable
        differentiable neural computer for question answering", arXiv:1807.02658.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 128,
        width: int = 20,
        read_heads: int = 1,
        write_heads: int = 1,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 100,
        controller_layers: int = 1,
        controller_shortcuts: bool = True,
        controller_clip: float | None = None,
        read_feedback: bool = True,
        controller_gain: float = 1.0,
        links: Literal["dense", "sparse", "none"] = "dense",
        link_size: int | None = None,
        masked: bool = False,
        mask_floor: float = 0.0,
        deallocate: bool = False,
        sharpen_links: bool = False,
        strengths: Literal["oneplus", "softplus"] = "oneplus",
        initial_strength: float | None = None,
        squash: bool = False,
        clip: float | None = 20.0,
        bypass_dropout: float = 0.0,
        layer_norm: bool = False,
        usage_gradient: bool = False,
        usage_epsilon: float = 0.0,
        usage_tolerance: float = 1e-5,
        norm_epsilon: float = 1e-12,
        product_epsilon: float = 0.0,
        output_clip: float | None = None,
        initial_memory: Literal["zeros", "constant", "even", "learned", "random"] = "zeros",
        initial_weights: Literal["zeros", "constant", "random"] = "zeros",
        initial_reads: Literal["zeros", "constant", "learned"] = "zeros",
        initial_controller: Literal["zeros", "learned"] = "zeros",
    ):
        options = constructor_arguments(locals())
        super().__init__()
        checks.module_sizes(self, **{size: options[size] for size in SIZES})
        self.input_size, self.output_size = input_size, output_size
        self.machine = machine(options)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused machine of a backend, None where there is none or an option asks for single steps."""
        return fused_dnc(self.machine, backend)


class DNC(Recurrent[AugmentedState], Resizable):
    """A Differentiable Neural Computer run over sequences; the arguments are those of `DNCCell`.

    It stands where `torch.nn.LSTM` stood: sequences in, sequences out, batch first, and the state carries on where they ended.

    Example:
        >>> import torch
        >>> from memtape import DNC
        >>> dnc = DNC(input_size=9, output_size=8, slots=16)
        >>> ys, state = dnc(torch.zeros(4, 7, 9))
        >>> ys.shape, state.memory.usage.shape, state.memory.links.links.shape
        (torch.Size([4, 7, 8]), torch.Size([4, 16]), torch.Size([4, 1, 16, 16]))
        >>> ys, state = dnc(torch.zeros(4, 7, 9), state)
        >>> ys, state = dnc.with_slots(64)(torch.zeros(4, 7, 9))
        >>> state.memory.usage.shape
        torch.Size([4, 64])
    """

    __init__ = runs(DNCCell)


CARD = ModelCard(
    name="dnc",
    summary="Differentiable Neural Computer: a memory that allocates and frees slots, and links them in order.",
    paper=("graves2016",),
    inputs=("sequences",),
    small={"slots": 5, "width": 3, "controller_size": 4, "initial_memory": "random"},
)
