"""QueueLSTM: a recurrent network with a queue of items that have strengths."""

from memtape.core.card import ModelCard
from memtape.core.recurrent import Recurrent, runs
from memtape.models.machine.augmented import AugmentedState
from memtape.models.stack.strength_cell import StrengthCell
from memtape.sharing.shareable import Shareable


class QueueLSTMCell(StrengthCell):
    r"""Compute one step of a recurrent network with a queue of items that have strengths.

    $$h_t = \text{controller}([x_t; r_{t-1}]), \qquad (v_t, d_t, u_t) = (\tanh, \sigma, \sigma)(W h_t + b), \qquad
    y_t = V \tanh(W_o h_t + b_o) + c$$

    Items are pushed at one end of the queue, and popped and read at the other (`memtape.memory.StrengthStack` has the
    equations).

    The arguments are those of `memtape.models.stack.strength_cell.StrengthCell`.

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), "Learning to transduce with unbounded memory", arXiv:1506.02516.
    """

    access = "queue"


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
