"""TapeRNN: the tape machine of the study of neural networks and the Chomsky hierarchy."""

import dataclasses
from typing import Any, Literal

from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell, Cell, FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.core.view import Views
from memtape.memory import JumpState, TapeInterface, TapeMemory
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.controller import controller_of
from memtape.models.machine.resizable import Resizable
from memtape.models.tape.fused_tape import fused_tape


class TapeRNNCell(Cell[AugmentedState]):
    r"""Compute one step of a tape machine: a recurrent network whose heads write and move on circular tapes.

    The controller receives the input and the cells under the heads. Each head replaces the cell under it; then it stays,
    moves to the right or to the left, or jumps to the right or to the left, each with a probability
    (`memtape.memory.TapeMemory` has the equations). The output is a linear map of the controller's output.

    In the study, a jump has the length of the input of the task, which the network receives from outside. Here it is an
    option, or an entry of each input vector, so that rows of a batch can differ; then the state holds it.

    Args:
        input_size: size of one input vector, with the entry of the jump length.
        output_size: size of one output vector; outputs are logits.
        slots: number of cells of a tape.
        width: size of one cell.
        tapes: number of tapes, each with a head.
        controller: kind of controller; "feedforward" has no recurrent connections.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        activation: activation of the units of an rnn or feedforward controller.
        reads_to_output: compute the output from the cells under the heads after the step, too (else from the hidden
            vector alone).
        jump_length: length of a jump in cells.
        jump_from_input: take the length of the jumps from the last entry of each input vector, rounded to an integer. The
            controller does not receive this entry; where it is not above 0, the last length remains, initially that of
            `jump_length`.
        write_layers: number of hidden layers of the network that computes what the heads write; 0 for a linear map.
        write_size: number of relu units of each of these layers.
        initial_controller: initial state of the controller: zeros, or learned.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the jump length or the number of layers is below 0, a choice is unknown, or the
            input has no entry beside the jump length.

    References:
        Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, appendix A, and its code.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 256,
        width: int = 8,
        tapes: int = 1,
        controller: Literal["rnn", "feedforward", "lstm", "gru"] = "rnn",
        controller_size: int = 256,
        controller_layers: int = 1,
        activation: Literal["tanh", "relu", "sigmoid"] = "relu",
        reads_to_output: bool = False,
        jump_length: int = 8,
        jump_from_input: bool = False,
        write_layers: int = 2,
        write_size: int = 64,
        initial_controller: Literal["zeros", "learned"] = "zeros",
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size)
        self.input_size, self.output_size = input_size, output_size
        self.jump_from_input = jump_from_input
        if jump_from_input and input_size < 2:
            raise ValueError(
                "input_size is 1, but with jump_from_input the last entry of an input is the length of a jump; give "
                "vectors of at least two entries, or set jump_from_input=False"
            )
        memory = TapeMemory(slots, width, tapes=tapes, jump_length=jump_length, varying_jumps=jump_from_input)
        received = input_size - 1 if jump_from_input else input_size
        self.machine = AugmentedCell(
            controller_of(
                controller,
                received + memory.read_size,
                controller_size,
                controller_layers,
                initial_controller,
                activation=activation,
            ),
            TapeInterface(controller_size, width, tapes=tapes, write_layers=write_layers, write_size=write_size),
            memory,
            input_size=received,
            output_size=output_size,
            initial_reads="memory",
            reads_to_output=reads_to_output,
        )

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> AugmentedState:
        """Return the state before the first step: controller, empty tapes and reads."""
        return self.machine.init_state(batch_size, device=device, dtype=dtype)

    def read(self, symbols: Int[Tensor, "batch time"]) -> tuple[AnyCell, Float[Tensor, "batch time input"]]:
        """Return the one-hot vectors of symbols and the cell.

        Raises:
            ValueError: the lengths of jumps are an entry of each input vector, which symbols do not have.
        """
        if self.jump_from_input:
            raise ValueError(
                "the inputs are symbols, but with jump_from_input the last entry of an input vector is the length of a "
                "jump; pass vectors, or build the network with jump_from_input=False"
            )
        return super().read(symbols)

    def control(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Any:
        """Return the control of the memory in this step, for inspection."""
        return self.machine.control(*self._with_jump_length(x, state))

    def views(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Views:
        """Return the memory's views of this step."""
        return self.machine.views(*self._with_jump_length(x, state))

    def forward(
        self, x: Float[Tensor, "batch input"], state: AugmentedState
    ) -> tuple[Float[Tensor, "batch output"], AugmentedState]:
        """Take one step."""
        return self.machine(*self._with_jump_length(x, state))

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_tape(self.machine, backend, jump_from_input=self.jump_from_input)

    def fused_step(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel: a step has many small operations, and one call costs less than they do."""
        return self.fused(backend)

    def _with_jump_length(self, x: Tensor, state: AugmentedState) -> tuple[Tensor, AugmentedState]:
        """Return the part of an input for the controller, and the state with the length of the jumps of this step."""
        if not self.jump_from_input:
            return x, state
        last = state.memory.jumps.length
        given = x[:, -1].detach().to(last.dtype).round()
        memory = dataclasses.replace(state.memory, jumps=JumpState(length=given.where(given > 0, last)))
        return x[:, :-1], dataclasses.replace(state, memory=memory)


class TapeRNN(Recurrent[AugmentedState], Resizable):
    """Run a tape machine over sequences; the arguments are those of `TapeRNNCell`.

    Example:
        >>> import torch
        >>> from memtape import TapeRNN
        >>> network = TapeRNN(input_size=4, output_size=2, slots=20, jump_from_input=True)
        >>> xs = torch.zeros(3, 7, 4)
        >>> xs[:, 0, -1] = torch.tensor([5.0, 6.0, 7.0])  # a jump length for each row
        >>> ys, state = network(xs)
        >>> ys.shape, state.memory.jumps.length
        (torch.Size([3, 7, 2]), tensor([5., 6., 7.]))
    """

    __init__ = runs(TapeRNNCell)


CARD = ModelCard(
    name="taperrnn",
    summary="Tape machine: heads that write and move on circular tapes, with jumps of a given length.",
    paper=("deletang2023",),
    inputs=("sequences",),
    small={"slots": 6, "width": 3, "tapes": 2, "controller_size": 4, "write_size": 5, "jump_length": 2},
)
