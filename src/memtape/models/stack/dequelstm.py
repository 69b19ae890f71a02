"""DequeLSTM: a recurrent network with a deque of items that have strengths."""

from memtape.core.card import ModelCard
from memtape.core.recurrent import Recurrent, runs
from memtape.models.machine.augmented import AugmentedState
from memtape.models.stack.strength_cell import StrengthCell
from memtape.sharing.shareable import Shareable


class DequeLSTMCell(StrengthCell):
    r"""Compute one step of a recurrent network with a deque of items that have strengths.

    $$h_t = \text{controller}([x_t; r_{t-1}]), \qquad (v_t, d_t, u_t) = (\tanh, \sigma, \sigma)(W h_t + b), \qquad
    y_t = V \tanh(W_o h_t + b_o) + c$$

    Items are pushed, popped and read at both ends (`memtape.memory.StrengthStack` has the equations).

    The arguments are those of `memtape.models.stack.strength_cell.StrengthCell`.

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), "Learning to transduce with unbounded memory", arXiv:1506.02516.
    """

    access = "deque"


class DequeLSTM(Recurrent[AugmentedState], Shareable):
    """Run a recurrent network with a deque over sequences; the arguments are those of `DequeLSTMCell`.

    Example:
        >>> import torch
        >>> from memtape.models.stack.dequelstm import DequeLSTM
        >>> ys, state = DequeLSTM(input_size=9, output_size=8, width=16, controller_size=32)(torch.zeros(2, 7, 9))
        >>> state.memory.strengths.shape  # batch, ends, items
        torch.Size([2, 2, 7])
    """

    __init__ = runs(DequeLSTMCell)


CARD = ModelCard(
    name="dequelstm",
    summary="Recurrent network with a deque: items are pushed and popped with a strength at both ends.",
    paper=("grefenstette2015",),
    inputs=("sequences",),
    small={"width": 3, "controller_size": 4},
)
