"""DNC: the Differentiable Neural Computer, a controller with allocation, freeing and temporal links of slots."""

from typing import Literal

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.models.dnc.assembly import SIZES, machine
from memtape.models.dnc.fused import fused_dnc
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.fused_schedule import fused_schedule
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.sharing.shareable import constructor_arguments


class DNCCell(MachineCell):
    r"""Compute one step of a Differentiable Neural Computer.

    The controller receives the input and the last read vectors. An interface computes from its output the key of every
    head, whether a write head writes to a free slot or by content, which slots are freed, and whether a read head reads
    by content or along the temporal links. The memory is written, then read (`memtape.memory.DNCMemory` has the
    equations). The output is a linear map of the controller's output and the read vectors of the same step.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        controller: kind of controller.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        controller_shortcuts: connect the input to every layer, and every layer to the interface and the output, as in
            the paper (else each layer is connected to the next one only).
        controller_clip: bound of the absolute values of the controller's state and output; none for no bound, as in the
            paper; DeepMind's code has 20.
        read_feedback: connect the last read vectors to the controller (else reads go to the output only).
        controller_gain: scale of the controller's initial weights, 1 by default.
        links: temporal links: dense, between every two slots; sparse, the strongest of each slot; or none, with which
            heads read by content only.
        link_size: number of links of a slot, for sparse links only; none for 8.
        masked: multiply keys and slots by a mask from the controller before they are compared.
        mask_floor: smallest value of a mask.
        deallocate: erase freed slots (else they keep their contents until the next write).
        sharpen_links: sharpen the weights along links by an exponent from the controller.
        strengths: activation of the key strengths: oneplus, at least 1, or softplus, at least 0.
        initial_strength: initial value of every key strength; with many slots, about the logarithm of their number
            gives a slot that matches the key most of the weight. None for 1.7 with oneplus and 0.7 with softplus.
        squash: apply tanh to keys and add vectors (else linear, as in the paper).
        clip: bound of the absolute value of every entry of the interface vector; none for no bound, as in the paper.
        programs: number of stored programs of each head, maps to its interface of which the controller chooses a mixture in
            each step; none for one linear map, as in the paper.
        program_key_size: size of the keys of programs; none for the number of programs.
        program_addressing: scores of programs: the cosine of the tanh of key and query, the plain cosine, or directly the
            controller's query, without keys.
        hard_programs: take the best program instead of a mixture, in training after adding noise.
        program_temperature: divides the noisy scores of hard programs in training.
        bypass_dropout: in training, the probability that an entry of the controller's output is dropped before the
            output layer, but not before the interface, so that the network has to use the memory.
        layer_norm: apply layer normalisation before the interface, and within the controller if it is lstm or gru.
        usage_gradient: let the gradient of the usage flow into the write weights.
        usage_epsilon: added to usages before allocation; 0 in the paper, 1e-6 in most code.
        usage_tolerance: slots whose usages differ by at most this are allocated in the order of their indices, so that
            rounding does not decide; 0 in most code.
        norm_epsilon: added to squared norms in the cosine similarity; 1e-6 in DeepMind's code.
        product_epsilon: added to the product of two norms in the cosine similarity; 1e-6 in most code.
        output_clip: bound of the absolute values of the outputs; none for no bound, as in the paper; DeepMind's code
            has 20.
        initial_memory: initial contents of the slots: zeros; constant, 1e-6; even, 1 / (slots times width); learned; or
            random and then fixed.
        initial_weights: initial weights of the heads: zeros; constant, 1e-6; or random and then fixed.
        initial_reads: initial read vectors: zeros; constant, 1e-6; or learned.
        initial_controller: initial state of the controller: zeros, or learned.
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
        ValueError: a size is below 1, a number is out of range, a choice is unknown, or an option of links, masks
            or programs is given without them.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101; `masked`, `deallocate` and `sharpen_links`: Csordas & Schmidhuber (2019), "Improving
        differentiable neural computers through memory masking, de-allocation, and link distribution sharpness control",
        arXiv:1904.10278; `bypass_dropout`, `layer_norm` and no links: Franke, Niehues & Waibel (2018), "Robust and scalable
        differentiable neural computer for question answering", arXiv:1807.02658; `programs`: Le, Tran & Venkatesh (2020),
        "Neural stored-program memory", arXiv:1906.08862.
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
        programs: int | None = None,
        program_key_size: int | None = None,
        program_addressing: Literal["cosine-of-tanh", "cosine", "direct"] = "cosine-of-tanh",
        hard_programs: bool = False,
        program_temperature: float = 1.0,
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
        checks.module_sizes(self, **{size: options[size] for size in SIZES})
        self.input_size, self.output_size = input_size, output_size
        self.machine = machine(options)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_schedule(self.machine, lambda machine: fused_dnc(machine, backend))


class DNC(Recurrent[AugmentedState], Resizable):
    """Run a Differentiable Neural Computer over sequences; the arguments are those of `DNCCell`.

    It has the calling convention of `torch.nn.LSTM`, batch first: it returns the outputs and the state after the last
    step.

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
    summary="Differentiable Neural Computer: a memory with allocation, freeing and temporal links of slots.",
    paper=("graves2016",),
    inputs=("sequences",),
    small={"slots": 5, "width": 3, "controller_size": 4, "initial_memory": "random"},
)
