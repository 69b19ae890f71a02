"""QueueLSTM: a recurrent network with a queue of items that have strengths."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.stack.assembly import strength_machine
from memtape.sharing.shareable import Shareable, constructor_arguments


class QueueLSTMCell(MachineCell):
    r"""Compute one step of a recurrent network with a queue of items that have strengths.

    $$h_t = \text{controller}([x_t; r_{t-1}]), \qquad (v_t, d_t, u_t) = (\tanh, \sigma, \sigma)(W h_t + b), \qquad
    y_t = V \tanh(W_o h_t + b_o) + c$$

    Items are pushed at one end of the queue, and popped and read at the other (`memtape.memory.StrengthStack` has the
    equations).

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
        self.machine = strength_machine("queue", options)

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return None, since there is no fused kernel of this machine yet."""
        return None


class QueueLSTM(Recurrent[AugmentedState], Shareable):
    """Run a recurrent network with a queue over sequences; the arguments are those of `QueueLSTMCell`.

    Example:
        >>> import torch
        >>> from memtape.models.stack.queuelstm import QueueLSTM
        >>> ys, state = QueueLSTM(input_size=9, output_size=8, width=16, controller_size=32)(torch.zeros(2, 7, 9))
        >>> state.memory.strengths.shape  # batch, ends, items
        torch.Size([2, 1, 7])
    """

    __init__ = runs(QueueLSTMCell)


CARD = ModelCard(
    name="queuelstm",
    summary="Recurrent network with a queue of items that are pushed and popped with a strength.",
    paper=("grefenstette2015",),
    inputs=("sequences",),
    small={"width": 3, "controller_size": 4},
)
