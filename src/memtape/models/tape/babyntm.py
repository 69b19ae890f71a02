"""BabyNTM: a tape machine with five fixed moves, and a value that is always added."""

from typing import Literal

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import TapeInterface, TapeMemory
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.controller import controller_of
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.tape.fused_tape import fused_tape


class BabyNTMCell(MachineCell):
    r"""Compute one step of a Baby-NTM: a recurrent network with a tape whose moves are five fixed matrices.

    The controller receives the input and the cell under the head. The head stays, rotates the tape by one cell, or moves by
    one cell so that the tape loses a cell and gets a blank one, each with a probability; then a value between 0 and 1 is
    added to the cell under it (`memtape.memory.TapeMemory` has the equations). The output is a linear map of the
    controller's output.

    In the paper the cell under the head is added to the hidden vector before the recurrent matrix. Here it is a part of the
    controller's input, which computes the same functions with other parameters.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of cells of the tape.
        width: size of one cell.
        controller: kind of controller; "feedforward" has no recurrent connections.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        activation: activation of the units of an rnn or feedforward controller.
        reads_to_output: compute the output from the cells under the heads after the step, too (else from the hidden
            vector alone).
        temperature: divides the logits of the actions; below 1 the actions are nearer to a choice of one.
        gumbel: add Gumbel noise to the logits of the actions in training.
        initial_controller: initial state of the controller: zeros, or learned.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the temperature is not positive, or a choice is unknown.

    References:
        Suzgun et al. (2019), "Memory-augmented recurrent neural networks can learn generalized Dyck languages",
        arXiv:1911.03329, section 3, and its code.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 104,
        width: int = 5,
        controller: Literal["rnn", "feedforward", "lstm", "gru"] = "rnn",
        controller_size: int = 12,
        controller_layers: int = 1,
        activation: Literal["tanh", "relu", "sigmoid"] = "tanh",
        reads_to_output: bool = False,
        temperature: float = 1.0,
        gumbel: bool = False,
        initial_controller: Literal["zeros", "learned"] = "zeros",
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size)
        self.input_size, self.output_size = input_size, output_size
        memory = TapeMemory(slots, width, moves="blanks")
        self.machine = AugmentedCell(
            controller_of(
                controller,
                input_size + memory.read_size,
                controller_size,
                controller_layers,
                initial_controller,
                activation=activation,
            ),
            TapeInterface(
                controller_size, width, values="sigmoid", write_layers=0, temperature=temperature, gumbel=gumbel
            ),
            memory,
            input_size=input_size,
            output_size=output_size,
            initial_reads="memory",
            reads_to_output=reads_to_output,
        )

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_tape(self.machine, backend)


class BabyNTM(Recurrent[AugmentedState], Resizable):
    """Run a Baby-NTM over sequences; the arguments are those of `BabyNTMCell`.

    Example:
        >>> import torch
        >>> from memtape import BabyNTM
        >>> ys, state = BabyNTM(input_size=4, output_size=4)(torch.zeros(2, 7, 4))
        >>> state.memory.memory.shape  # (batch, tapes, slots, width)
        torch.Size([2, 1, 104, 5])
    """

    __init__ = runs(BabyNTMCell)


CARD = ModelCard(
    name="babyntm",
    summary="Baby-NTM: a tape that is shifted by five fixed moves, and a value that is always added.",
    paper=("suzgun2019",),
    inputs=("sequences",),
    small={"slots": 6, "width": 3, "controller_size": 4},
)
