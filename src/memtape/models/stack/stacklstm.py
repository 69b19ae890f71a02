"""StackLSTM: a recurrent network with a stack of items that have strengths."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.stack.assembly import strength_machine
from memtape.sharing.shareable import Shareable, constructor_arguments


class StackLSTMCell(MachineCell):
    r"""Compute one step of a recurrent network with a stack of items that have strengths.

    $$h_t = \text{controller}([x_t; r_{t-1}]), \qquad (v_t, d_t, u_t) = (\tanh, \sigma, \sigma)(W h_t + b), \qquad
    y_t = V \tanh(W_o h_t + b_o) + c$$

    Items are popped and read where they are pushed (`memtape.memory.StrengthStack` has the equations).

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        width: size of one item.
        controller: kind of controller.
        controller_size: number of hidden units of each layer of the controller, and of the layer before the output.
        controller_layers: number of layers of the controller.
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

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        width: int = 256,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 256,
        controller_layers: int = 1,
        pop_bias: float = -1.0,
        push_bias: float = 0.0,
        reads_to_output: bool = False,
        initial_controller: Literal["learned", "zeros"] = "learned",
        max_depth: int | None = None,
    ):
        options = constructor_arguments(locals())
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        self.machine = strength_machine("stack", options)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return None, since there is no fused kernel of this machine yet."""
        return None


class StackLSTM(Recurrent[AugmentedState], Shareable):
    """Run a recurrent network with a stack over sequences; the arguments are those of `StackLSTMCell`.

    Example:
        >>> import torch
        >>> from memtape.models.stack.stacklstm import StackLSTM
        >>> ys, state = StackLSTM(input_size=9, output_size=8, width=16, controller_size=32)(torch.zeros(2, 7, 9))
        >>> state.memory.strengths.shape  # batch, ends, items
        torch.Size([2, 1, 7])
    """

    __init__ = runs(StackLSTMCell)


CARD = ModelCard(
    name="stacklstm",
    summary="Recurrent network with a stack of items that are pushed and popped with a strength.",
    paper=("grefenstette2015",),
    inputs=("sequences",),
    small={"width": 3, "controller_size": 4},
)
