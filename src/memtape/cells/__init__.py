"""Floor 3a, recurrent parts without external memory: each a Cell, most of them used as controllers."""

from memtape.cells.elman import ElmanCell
from memtape.cells.feedback import OutputFeedback
from memtape.cells.feedforward import FeedforwardCell
from memtape.cells.gru import GRUCell
from memtape.cells.initial import LearnedInitialState
from memtape.cells.jordan import JordanCell
from memtape.cells.late import Late
from memtape.cells.leaky import LeakyCell
from memtape.cells.lstm import LSTMCell
from memtape.cells.readout import Readout
from memtape.cells.stacked import Stacked
from memtape.cells.teacher import TeacherForced

__all__ = [
    "ElmanCell",
    "FeedforwardCell",
    "GRUCell",
    "JordanCell",
    "LSTMCell",
    "Late",
    "LeakyCell",
    "LearnedInitialState",
    "OutputFeedback",
    "Readout",
    "Stacked",
    "TeacherForced",
]
