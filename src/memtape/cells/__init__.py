"""Floor 4: recurrent cells without external memory, most of which can serve as the controller of a memory."""

from memtape.cells.bidirectional import Bidirectional
from memtape.cells.clipped import Clipped
from memtape.cells.clockwork import ClockworkCell
from memtape.cells.concatenated_input import ConcatenatedInput
from memtape.cells.conditioned import Conditioned
from memtape.cells.deep_transition import DeepTransitionCell
from memtape.cells.delayed import Delayed
from memtape.cells.echo_state import EchoStateCell
from memtape.cells.elman import ElmanCell
from memtape.cells.embedded import Embedded
from memtape.cells.fast_weights import FastWeightsCell
from memtape.cells.feedback import OutputFeedback
from memtape.cells.feedforward import FeedforwardCell
from memtape.cells.gate_norm_lstm import GateNormLSTMCell
from memtape.cells.gated_linear import GatedLinearCell
from memtape.cells.gru import GRUCell
from memtape.cells.input_bypass import InputBypass
from memtape.cells.jordan import JordanCell
from memtape.cells.layers import Layers
from memtape.cells.leaky import LeakyCell
from memtape.cells.learned_initial_state import LearnedInitialState
from memtape.cells.lru import LRUCell
from memtape.cells.lstm import LSTMCell
from memtape.cells.orthogonal import OrthogonalCell
from memtape.cells.readout import Readout
from memtape.cells.residual import Residual
from memtape.cells.shortcuts import Shortcuts
from memtape.cells.skip import SkipCell
from memtape.cells.stable_hadamard import StableHadamardCell
from memtape.cells.stacked import Stacked
from memtape.cells.teacher_forcing import TeacherForced
from memtape.cells.torch_weights import from_torch, to_torch
from memtape.cells.tree import (
    ChildSumTreeLSTMCell,
    ConstituencyTreeLSTMCell,
    NaryTreeLSTMCell,
    RecursiveCell,
    RNTNCell,
)
from memtape.cells.truncated_input import TruncatedInput
from memtape.cells.variational_dropout import VariationalDropout
from memtape.cells.weight_drop import WeightDrop
from memtape.cells.zoneout import Zoneout

__all__ = [
    "Bidirectional",
    "ChildSumTreeLSTMCell",
    "Clipped",
    "ClockworkCell",
    "ConcatenatedInput",
    "Conditioned",
    "ConstituencyTreeLSTMCell",
    "DeepTransitionCell",
    "Delayed",
    "EchoStateCell",
    "ElmanCell",
    "Embedded",
    "FastWeightsCell",
    "FeedforwardCell",
    "GRUCell",
    "GateNormLSTMCell",
    "GatedLinearCell",
    "InputBypass",
    "JordanCell",
    "LRUCell",
    "LSTMCell",
    "Layers",
    "LeakyCell",
    "LearnedInitialState",
    "NaryTreeLSTMCell",
    "OrthogonalCell",
    "OutputFeedback",
    "RNTNCell",
    "Readout",
    "RecursiveCell",
    "Residual",
    "Shortcuts",
    "SkipCell",
    "StableHadamardCell",
    "Stacked",
    "TeacherForced",
    "TruncatedInput",
    "VariationalDropout",
    "WeightDrop",
    "Zoneout",
    "from_torch",
    "to_torch",
]
