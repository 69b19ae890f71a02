"""NTM: the Neural Turing Machine, a controller with a tape of slots."""

from typing import Any, Literal

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.memory import AnyInterface, AnyMemory
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import ContentInterface, ContentMemory
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.fused_schedule import fused_schedule
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.machine.scheduled import OF_THE_SCHEDULE, scheduled
from memtape.models.ntm.assembly import HEADS, OF_THE_CONTENTS, assembled, by_location, check_sizes, chosen
from memtape.models.ntm.fused import fused_ntm
from memtape.sharing.shareable import constructor_arguments


class NTMCell(MachineCell):
    r"""Compute one step of a Neural Turing Machine.

    The controller receives the input and the last read vectors. An interface computes from its output the key, the
    interpolation gate, the shift and the sharpening of every head. The heads read, erase and add
    (`memtape.memory.TuringMemory` has the equations). The output is a linear map of the controller's output and the
    read vectors.

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
        controller_gain: scale of the controller's initial weights, 1 by default; from about 3 on, the heads move and
            write strongly from the first training step, before a recurrent controller learns to solve the task without
            the memory.
        shift_range: largest shift of a head, in slots.
        addressing: "location" is the machine of the paper; with "content" the heads address slots by content only, and
            options of shift, gate and sharpening do not apply.
        similarity: similarity of keys and slots, cosine or dot product.
        read_first: read the memory before the write of the same step (else after it).
        sequential_heads: apply each pair of heads to the memory that the previous pairs wrote (else all at once).
        initial_memory: initial contents of the slots: constant, 1e-6; learned; or random and then fixed. With content
            addressing choose learned or random, since heads cannot distinguish equal slots, which always stay equal.
        initial_weights: initial weights of the heads: learned, initially focused on slot 0; one-hot on slot 0; uniform;
            or zeros.
        initial_reads: initial read vectors: learned, or zeros.
        initial_controller: initial state of the controller: learned, or zeros.
        squash: apply tanh to keys and add vectors (else linear, as in the paper).
        clip: bound of the absolute value of every entry of the interface vector; none for no bound.
        gate_bias: initial bias of the interpolation gates; below 0 a head prefers its last weights to content
            addressing.
        sharpening_bias: initial bias of the sharpening; above 0 the weights stay sharp.
        write_shift_bias: initial bias of a write head's shift to the next slot; above 0 the write head advances in
            every step.
        read_stay_bias: initial bias of a read head's shift by 0; above 0 the read head stays at its slot.
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
        ValueError: a size is below 1, a choice is unknown, or the chosen addressing does not have an option.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401.
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
        controller_gain: float = 1.0,
        shift_range: int = 1,
        addressing: Literal["location", "content"] = "location",
        similarity: Literal["cosine", "dot"] = "cosine",
        read_first: bool = True,
        sequential_heads: bool = False,
        initial_memory: Literal["constant", "learned", "random"] = "constant",
        initial_weights: Literal["learned", "one-hot", "uniform", "zeros"] = "learned",
        initial_reads: Literal["learned", "zeros"] = "learned",
        initial_controller: Literal["learned", "zeros"] = "learned",
        squash: bool = True,
        clip: float | None = 20.0,
        gate_bias: float = 0.0,
        sharpening_bias: float = 0.0,
        write_shift_bias: float = 0.0,
        read_stay_bias: float = 0.0,
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
        check_sizes(self, options)
        checks.one_of(("location", "content"), addressing=addressing)
        self.input_size, self.output_size = input_size, output_size
        memory: AnyMemory
        interface: AnyInterface
        if addressing == "location":
            memory, interface = by_location(options)
        else:
            _refuse_steps(
                shift_range=(shift_range, 1),
                sequential_heads=(sequential_heads, False),
                initial_weights=(initial_weights, "learned"),
                gate_bias=(gate_bias, 0.0),
                sharpening_bias=(sharpening_bias, 0.0),
                write_shift_bias=(write_shift_bias, 0.0),
                read_stay_bias=(read_stay_bias, 0.0),
            )
            heads = chosen(options, *HEADS)
            memory = ContentMemory(slots, width, **heads, **chosen(options, *OF_THE_CONTENTS))
            interface = ContentInterface(controller_size, width, **heads, squash=squash, clip=clip)
        self.machine = scheduled(assembled(options, memory, interface), slots, **chosen(options, *OF_THE_SCHEDULE))

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_schedule(self.machine, lambda machine: fused_ntm(machine, backend))


class NTM(Recurrent[AugmentedState], Resizable):
    """Run a Neural Turing Machine over sequences; the arguments are those of `NTMCell`.

    It has the calling convention of `torch.nn.LSTM`, batch first: it returns the outputs and the state after the last
    step.

    Example:
        >>> import torch
        >>> from memtape import NTM
        >>> ntm = NTM(input_size=9, output_size=8, slots=16)
        >>> ys, state = ntm(torch.zeros(4, 7, 9))
        >>> ys.shape, state.memory.memory.shape
        (torch.Size([4, 7, 8]), torch.Size([4, 16, 20]))
        >>> ys, state = ntm(torch.zeros(4, 7, 9), state)
    """

    __init__ = runs(NTMCell)


def _refuse_steps(**options: tuple[Any, Any]) -> None:
    for name, (value, default) in options.items():
        if value != default:
            raise ValueError(
                f'{name} is {value!r}, but heads with addressing="content" do not shift; '
                f'leave {name} at {default!r} or choose addressing="location"'
            )


CARD = ModelCard(
    name="ntm",
    summary="Neural Turing Machine: a controller that reads and writes a tape of slots.",
    paper=("graves2014",),
    inputs=("sequences",),
    small={"slots": 5, "width": 3, "controller_size": 4},
)
