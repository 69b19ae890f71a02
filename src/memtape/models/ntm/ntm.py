"""Turing: the Neural Turing Machine, a controller that works a tape."""

from typing import Any, Literal

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.memory import AnyInterface, AnyMemory
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import ContentInterface, ContentMemory, TuringInterface, TuringMemory
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.controller import controller_of
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.ntm.fused import fused_ntm


class NTMCell(MachineCell):
    r"""One step of a Neural Turing Machine.

    The controller sees the input and what was read in the step before, and tells every head what to look for, whether to
    look it up or to stay, how far to step along the tape and how sharply; the heads read, erase and add
    (`memtape.memory.TuringMemory` has the equations); the output is a linear map of the controller's output and the reads.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        controller: kind of network that works the heads.
        controller_size: number of its hidden units.
        controller_layers: number of its layers.
        controller_gain: how far its initial weights spread, 1 being usual; from about 3 on the heads move and write with
            force from the first update, before a recurrent controller has learned to do without its memory.
        shift_range: the farthest step of a head along the tape, in slots.
        addressing: "location" is the machine of the paper; "content" leaves the plain attention memory, whose heads
            find slots by their contents alone, and to which options of shifting, gating and sharpening do not apply.
        similarity: how keys are compared with slots, cosine or plain dot product.
        read_first: read the memory as it was before the write of the same step (else after it).
        sequential_heads: let each pair of heads act on what the pairs before it wrote (else all at once).
        initial_memory: contents at the start: 1e-6 everywhere, learned, or random and then fixed. With content addressing
            choose one of the last two: heads cannot tell equal slots apart, which stay equal for ever.
        initial_weights: where the heads stand at the start: learned, from slot 0; one-hot on slot 0; uniform; zeros.
        initial_reads: what the first step reads: learned, or zeros.
        initial_controller: state of the controller at the start: learned, or zeros.
        squash: pass keys and added vectors through tanh (else linear, as in the paper).
        clip: bound of the heads' raw parameters on both sides; none leaves them free.
        gate_bias: where the look-up gates' bias begins; below 0 a head prefers its last place to a look-up.
        sharpening_bias: where the sharpening's bias begins; above 0 a focus stays sharp.
        write_shift_bias: where the bias of a write head's step to the next slot begins; above 0 it winds the tape on.
        read_stay_bias: where the bias of a read head's staying where it is begins; above 0 it waits at its first slot.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, an unknown choice, or an option that the chosen addressing does not have.

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
    ):
        super().__init__()
        checks.module_sizes(
            self, input_size=input_size, output_size=output_size, slots=slots, width=width, read_heads=read_heads
        )
        checks.module_sizes(self, write_heads=write_heads, controller_size=controller_size)
        checks.module_sizes(self, controller_layers=controller_layers, shift_range=shift_range)
        checks.one_of(("location", "content"), addressing=addressing)
        self.input_size, self.output_size = input_size, output_size
        heads: dict[str, Any] = {"read_heads": read_heads, "write_heads": write_heads}
        contents: dict[str, Any] = {
            "similarity": similarity,
            "read_first": read_first,
            "initial_memory": initial_memory,
        }
        memory: AnyMemory
        interface: AnyInterface
        if addressing == "location":
            memory = TuringMemory(
                slots, width, **heads, **contents, sequential_heads=sequential_heads, initial_weights=initial_weights
            )
            interface = TuringInterface(
                controller_size,
                width,
                **heads,
                shift_range=shift_range,
                squash=squash,
                clip=clip,
                gate_bias=gate_bias,
                sharpening_bias=sharpening_bias,
                write_shift_bias=write_shift_bias,
                read_stay_bias=read_stay_bias,
            )
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
            memory = ContentMemory(slots, width, **heads, **contents)
            interface = ContentInterface(controller_size, width, **heads, squash=squash, clip=clip)
        self.machine = AugmentedCell(
            controller_of(
                controller,
                input_size + memory.read_size,
                controller_size,
                controller_layers,
                initial_controller,
                gain=controller_gain,
            ),
            interface,
            memory,
            input_size=input_size,
            output_size=output_size,
            initial_reads=initial_reads,
        )

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused machine of a backend, None where there is none or an option asks for single steps."""
        return fused_ntm(self.machine, backend)


class NTM(Recurrent[AugmentedState], Resizable):
    """A Neural Turing Machine run over sequences; the arguments are those of `NTMCell`.

    It stands where `torch.nn.LSTM` stood: sequences in, sequences out, batch first, and the state carries on where they ended.

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
                f'{name} is {value!r}, but heads with addressing="content" never step along the tape; '
                f'leave {name} at {default!r} or choose addressing="location"'
            )


CARD = ModelCard(
    name="ntm",
    summary="Neural Turing Machine: a controller that reads and writes a tape of slots.",
    paper=("graves2014",),
    inputs=("sequences",),
    small={"slots": 5, "width": 3, "controller_size": 4},
)
