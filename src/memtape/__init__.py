"""memtape: neural networks with a memory you can read, write and look into.

Names are imported when they are first used, so that the command line answers without loading torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from memtape.version import __version__

if TYPE_CHECKING:
    from memtape import cells, core, memory, ops, ports
    from memtape.core import tree
    from memtape.core.backends import use_backend
    from memtape.core.batch import SequenceBatch
    from memtape.core.cell import Cell
    from memtape.core.fold import fold
    from memtape.core.memory import Interface, Memory
    from memtape.core.pairs import Pairs
    from memtape.core.recurrent import Recurrent
    from memtape.core.state import state
    from memtape.core.task import DrawnTask, HeldTask, Task
    from memtape.core.tree_cell import TreeCell
    from memtape.core.trees import Trees
    from memtape.core.unroll import unroll
    from memtape.models.augmented import AugmentedCell
    from memtape.models.bidirectional import BiGRU, BiLSTM
    from memtape.models.bidirectional_dnc import BiDNC
    from memtape.models.clockwork import Clockwork
    from memtape.models.decoding import beam_search, greedy
    from memtape.models.dnc import DNC, DNCCell
    from memtape.models.echo_state import EchoState
    from memtape.models.elman import Elman
    from memtape.models.generation import generate
    from memtape.models.gru import GRU
    from memtape.models.jordan import Jordan
    from memtape.models.leaky import Leaky
    from memtape.models.seq2seq import Seq2Seq
    from memtape.models.skip import Skip
    from memtape.models.stacked_lstm import StackedLSTM, StackedLSTMCell
    from memtape.models.trees import RNTN, Recursive, TreeLSTM
    from memtape.models.turing import NTM, NTMCell
    from memtape.tasks.algorithmic import AssociativeRecall, Copy, DynamicNGrams, PrioritySort, RepeatCopy
    from memtape.tasks.dynamics import Narma
    from memtape.tasks.images import Digits
    from memtape.tasks.lag import Adding, CopyMemory
    from memtape.tasks.language import Boolean, Characters, Scan, Sentiment
    from memtape.tasks.music import Chorales

_MODULES = {
    # core
    "Cell": "memtape.core.cell",
    "DrawnTask": "memtape.core.task",
    "HeldTask": "memtape.core.task",
    "Interface": "memtape.core.memory",
    "Memory": "memtape.core.memory",
    "Pairs": "memtape.core.pairs",
    "Recurrent": "memtape.core.recurrent",
    "SequenceBatch": "memtape.core.batch",
    "Task": "memtape.core.task",
    "TreeCell": "memtape.core.tree_cell",
    "Trees": "memtape.core.trees",
    "core": "memtape.core",
    "fold": "memtape.core.fold",
    "state": "memtape.core.state",
    "tree": "memtape.core.tree",
    "unroll": "memtape.core.unroll",
    "use_backend": "memtape.core.backends",
    # parts
    "cells": "memtape.cells",
    "memory": "memtape.memory",
    "ops": "memtape.ops",
    # models
    "AugmentedCell": "memtape.models.augmented",
    "BiDNC": "memtape.models.bidirectional_dnc",
    "BiGRU": "memtape.models.bidirectional",
    "BiLSTM": "memtape.models.bidirectional",
    "Clockwork": "memtape.models.clockwork",
    "EchoState": "memtape.models.echo_state",
    "DNC": "memtape.models.dnc",
    "DNCCell": "memtape.models.dnc",
    "Elman": "memtape.models.elman",
    "GRU": "memtape.models.gru",
    "Jordan": "memtape.models.jordan",
    "Leaky": "memtape.models.leaky",
    "NTM": "memtape.models.turing",
    "NTMCell": "memtape.models.turing",
    "RNTN": "memtape.models.trees",
    "Recursive": "memtape.models.trees",
    "Seq2Seq": "memtape.models.seq2seq",
    "Skip": "memtape.models.skip",
    "StackedLSTM": "memtape.models.stacked_lstm",
    "StackedLSTMCell": "memtape.models.stacked_lstm",
    "TreeLSTM": "memtape.models.trees",
    "beam_search": "memtape.models.decoding",
    "generate": "memtape.models.generation",
    "greedy": "memtape.models.decoding",
    "ports": "memtape.ports",
    # tasks
    "Adding": "memtape.tasks.lag",
    "AssociativeRecall": "memtape.tasks.algorithmic",
    "Boolean": "memtape.tasks.language",
    "Characters": "memtape.tasks.language",
    "Chorales": "memtape.tasks.music",
    "Copy": "memtape.tasks.algorithmic",
    "CopyMemory": "memtape.tasks.lag",
    "Digits": "memtape.tasks.images",
    "DynamicNGrams": "memtape.tasks.algorithmic",
    "Narma": "memtape.tasks.dynamics",
    "PrioritySort": "memtape.tasks.algorithmic",
    "RepeatCopy": "memtape.tasks.algorithmic",
    "Scan": "memtape.tasks.language",
    "Sentiment": "memtape.tasks.language",
}

__all__ = [
    "DNC",
    "GRU",
    "NTM",
    "RNTN",
    "Adding",
    "AssociativeRecall",
    "AugmentedCell",
    "BiDNC",
    "BiGRU",
    "BiLSTM",
    "Boolean",
    "Cell",
    "Characters",
    "Chorales",
    "Clockwork",
    "Copy",
    "CopyMemory",
    "DNCCell",
    "Digits",
    "DrawnTask",
    "DynamicNGrams",
    "EchoState",
    "Elman",
    "HeldTask",
    "Interface",
    "Jordan",
    "Leaky",
    "Memory",
    "NTMCell",
    "Narma",
    "Pairs",
    "PrioritySort",
    "Recurrent",
    "Recursive",
    "RepeatCopy",
    "Scan",
    "Sentiment",
    "Seq2Seq",
    "SequenceBatch",
    "Skip",
    "StackedLSTM",
    "StackedLSTMCell",
    "Task",
    "TreeCell",
    "TreeLSTM",
    "Trees",
    "__version__",
    "beam_search",
    "cells",
    "core",
    "fold",
    "generate",
    "greedy",
    "memory",
    "ops",
    "ports",
    "state",
    "tree",
    "unroll",
    "use_backend",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'memtape' has no attribute {name!r}")
    module = importlib.import_module(_MODULES[name])
    return module if module.__name__ == f"memtape.{name}" or name == "tree" else getattr(module, name)


def __dir__() -> list[str]:
    return __all__
