"""Floor 3a, recurrent parts without external memory: each a Cell, most of them used as controllers."""

from memtape.cells.around import Around
from memtape.cells.bidirectional import Bidirectional
from memtape.cells.clockwork import ClockworkCell
from memtape.cells.conditioned import Conditioned
from memtape.cells.deep_transition import DeepTransitionCell
from memtape.cells.echo_state import EchoStateCell
from memtape.cells.elman import ElmanCell
from memtape.cells.embedded import Embedded
from memtape.cells.feedback import OutputFeedback
from memtape.cells.feedforward import FeedforwardCell
from memtape.cells.gru import GRUCell
from memtape.cells.initial import LearnedInitialState
from memtape.cells.jordan import JordanCell
from memtape.cells.late import Late
from memtape.cells.layers import Layers
from memtape.cells.leaky import LeakyCell
from memtape.cells.lstm import LSTMCell
from memtape.cells.readout import Readout
from memtape.cells.residual import Residual
from memtape.cells.shortcuts import Shortcuts
from memtape.cells.skip import SkipCell
from memtape.cells.stacked import Stacked
from memtape.cells.teacher import TeacherForced
from memtape.cells.torch_networks import from_torch, to_torch
from memtape.cells.tree import (
    ChildSumTreeLSTMCell,
    ConstituencyTreeLSTMCell,
    NaryTreeLSTMCell,
    RecursiveCell,
    RNTNCell,
)
from memtape.cells.variational_dropout import VariationalDropout
from memtape.cells.weight_drop import WeightDrop
from memtape.cells.with_input import WithInput
from memtape.cells.zoneout import Zoneout

__all__ = [
    "Around",
    "Bidirectional",
    "ChildSumTreeLSTMCell",
    "ClockworkCell",
    "Conditioned",
    "ConstituencyTreeLSTMCell",
    "DeepTransitionCell",
    "EchoStateCell",
    "ElmanCell",
    "Embedded",
    "FeedforwardCell",
    "GRUCell",
    "JordanCell",
    "LSTMCell",
    "Late",
    "Layers",
    "LeakyCell",
    "LearnedInitialState",
    "NaryTreeLSTMCell",
    "OutputFeedback",
    "RNTNCell",
    "Readout",
    "RecursiveCell",
    "Residual",
    "Shortcuts",
    "SkipCell",
    "Stacked",
    "TeacherForced",
    "VariationalDropout",
    "WeightDrop",
    "WithInput",
    "Zoneout",
    "from_torch",
    "to_torch",
]
