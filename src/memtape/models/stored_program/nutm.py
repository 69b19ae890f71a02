"""NUTM: the Neural Universal Turing Machine, a Neural Turing Machine whose heads choose among stored programs."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory.program_options import program_options
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.ntm.assembly import assembled, by_location, check_sizes
from memtape.models.ntm.fused import fused_ntm
from memtape.sharing.shareable import constructor_arguments


class NUTMCell(MachineCell):
    r"""Compute one step of a Neural Universal Turing Machine.

    It is a Neural Turing Machine (`NTMCell`) whose interface has several programs for each head, linear maps of the
    controller's output, each with a key. In every step the controller chooses a mixture of them by a query
    (`memtape.memory.StoredPrograms` has the equations).

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        programs: number of programs of each head.
        program_key_size: size of the keys of programs; none for the number of programs.
        program_addressing: scores of programs: the cosine of the tanh of key and query, as in the authors' code; the plain
            cosine, as in the paper; or directly the controller's query, without keys.
        hard_programs: take the best program instead of a mixture, in training after adding noise.
        program_temperature: divides the noisy scores of hard programs in training.
        slots: number of slots of the memory.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        controller: kind of controller.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        controller_gain: scale of the controller's initial weights, 1 by default; the authors' code has about 4.
        shift_range: largest shift of a head, in slots.
        read_first: read the memory before the write of the same step (else after it).
        sequential_heads: apply each pair of heads to the memory that the previous pairs wrote, as in the authors' code (else
            all at once).
        initial_memory: initial contents of the slots: constant, 1e-6; learned; or random and then fixed.
        initial_weights: initial weights of the heads: learned, initially focused on slot 0; one-hot on slot 0; uniform;
            or zeros.
        initial_reads: initial read vectors: learned, or zeros.
        initial_controller: initial state of the controller: learned, or zeros.
        squash: apply tanh to keys and add vectors (else linear, as in the authors' code).
        clip: bound of the absolute value of every entry of the interface vector; none for no bound.
        gate_bias: initial bias of the interpolation gates; below 0 a head prefers its last weights to content
            addressing.
        sharpening_bias: initial bias of the sharpening; above 0 the weights stay sharp.
        write_shift_bias: initial bias of a write head's shift to the next slot; above 0 the write head advances in
            every step.
        read_stay_bias: initial bias of a read head's shift by 0; above 0 the read head stays at its slot.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, a number is out of range, or a choice is unknown.

    References:
        Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        programs: int = 2,
        program_key_size: int | None = None,
        program_addressing: Literal["cosine-of-tanh", "cosine", "direct"] = "cosine-of-tanh",
        hard_programs: bool = False,
        program_temperature: float = 1.0,
        slots: int = 128,
        width: int = 20,
        read_heads: int = 1,
        write_heads: int = 1,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 80,
        controller_layers: int = 1,
        controller_gain: float = 1.0,
        shift_range: int = 1,
        read_first: bool = True,
        sequential_heads: bool = False,
        initial_memory: Literal["constant", "learned", "random"] = "random",
        initial_weights: Literal["learned", "one-hot", "uniform", "zeros"] = "zeros",
        initial_reads: Literal["learned", "zeros"] = "zeros",
        initial_controller: Literal["learned", "zeros"] = "learned",
        squash: bool = False,
        clip: float | None = 20.0,
        gate_bias: float = 0.0,
        sharpening_bias: float = 0.0,
        write_shift_bias: float = 0.0,
        read_stay_bias: float = 0.0,
    ):
        options = constructor_arguments(locals()) | {"similarity": "cosine"}
        super().__init__()
        check_sizes(self, options)
        self.input_size, self.output_size = input_size, output_size
        memory, interface = by_location(options, program_options(options))
        self.machine = assembled(options, memory, interface)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_ntm(self.machine, backend)


class NUTM(Recurrent[AugmentedState], Resizable):
    """Run a Neural Universal Turing Machine over sequences; the arguments are those of `NUTMCell`.

    It has the calling convention of `torch.nn.LSTM`, batch first: it returns the outputs and the state after the last
    step.

    Example:
        >>> import torch
        >>> from memtape import NUTM
        >>> nutm = NUTM(input_size=9, output_size=8, slots=16, programs=3)
        >>> ys, state = nutm(torch.zeros(4, 7, 9))
        >>> ys.shape, state.memory.memory.shape
        (torch.Size([4, 7, 8]), torch.Size([4, 16, 20]))
    """

    __init__ = runs(NUTMCell)


CARD = ModelCard(
    name="nutm",
    summary="Neural Universal Turing Machine: a tape whose heads choose among stored programs.",
    paper=("le2020",),
    inputs=("sequences",),
    small={"slots": 5, "width": 3, "controller_size": 4},
)
