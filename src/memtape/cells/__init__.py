"""Floor 3a, recurrent parts without external memory: each a Cell, most of them used as controllers."""

from memtape.cells.elman import ElmanCell
from memtape.cells.feedforward import FeedforwardCell
from memtape.cells.gated import GRUCell, LSTMCell
from memtape.cells.initial import LearnedInitialState
from memtape.cells.readout import Readout
from memtape.cells.stacked import Stacked
from memtape.cells.tree import (
    ChildSumTreeLSTMCell,
    ConstituencyTreeLSTMCell,
    NaryTreeLSTMCell,
    RecursiveCell,
    RNTNCell,
)

__all__ = [
    "ChildSumTreeLSTMCell",
    "ConstituencyTreeLSTMCell",
    "ElmanCell",
    "FeedforwardCell",
    "GRUCell",
    "LSTMCell",
    "LearnedInitialState",
    "NaryTreeLSTMCell",
    "RNTNCell",
    "Readout",
    "RecursiveCell",
    "Stacked",
]
