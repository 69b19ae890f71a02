"""Strength cell: the common part of the recurrent networks with a stack, queue or deque of items that have strengths."""

from abc import abstractmethod
from typing import Literal

from torch import nn

from memtape.core import checks
from memtape.core.cell import FusedRun
from memtape.memory import StrengthStack, StrengthStackInterface
from memtape.memory.strength_stack import Access
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.controller import controller_of
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.stack.fused_strengths import fused_strength_stack


class StrengthCell(MachineCell):
    r"""Compute one step of a recurrent network with a memory of items that have strengths.

    $$h_t = \text{controller}([x_t; r_{t-1}]), \qquad (v_t, d_t, u_t) = (\tanh, \sigma, \sigma)(W h_t + b), \qquad
    y_t = V \tanh(W_o h_t + b_o) + c$$

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        width: size of one item.
        controller: kind of controller.
        controller_size: number of hidden units of each layer of the controller, and of the layer before the output.
        controller_layers: number of layers of the controller.
        controller_gain: scale of the controller's initial weights, 1 by default.
        pop_bias: initial bias of the strengths of pop; at -1, the value of the paper, items are stored before they are popped.
        push_bias: initial bias of the strengths of push.
        reads_to_output: compute the output from what was read after the step, too (else from the controller alone).
        initial_controller: initial state of the controller: learned, or zeros.
        max_depth: number of items above which a step raises an error if the oldest still have strength; none for no
            limit.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a choice is unknown.

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), "Learning to transduce with unbounded memory", arXiv:1506.02516.
    """

    @property
    @abstractmethod
    def access(self) -> Access:
        """The kind of memory: "stack", "queue" or "deque"."""

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        width: int = 256,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 256,
        controller_layers: int = 1,
        controller_gain: float = 1.0,
        pop_bias: float = -1.0,
        push_bias: float = 0.0,
        reads_to_output: bool = False,
        initial_controller: Literal["learned", "zeros"] = "learned",
        max_depth: int | None = None,
    ):
        super().__init__()
        checks.at_least(1, input_size=input_size, output_size=output_size)
        memory = StrengthStack(width, access=self.access, max_depth=max_depth)
        self.machine = AugmentedCell(
            controller_of(
                controller,
                input_size + memory.read_size,
                controller_size,
                controller_layers,
                initial_controller,
                gain=controller_gain,
            ),
            StrengthStackInterface(controller_size, width, access=self.access, pop_bias=pop_bias, push_bias=push_bias),
            memory,
            input_size=input_size,
            output_size=output_size,
            initial_reads="zeros",
            bypass=nn.Sequential(nn.Linear(controller_size, controller_size), nn.Tanh()),
            reads_to_output=reads_to_output,
        )
        self.input_size, self.output_size = input_size, output_size

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_strength_stack(self.machine, backend)
