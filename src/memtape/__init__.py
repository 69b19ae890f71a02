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
    from memtape.models.orthogonal import Orthogonal
    from memtape.models.seq2seq import Seq2Seq
    from memtape.models.skip import Skip
    from memtape.models.sparse_access import DAM, SAM, DAMCell, SAMCell
    from memtape.models.sparse_computer import SDNC, SDNCCell
    from memtape.models.stacked_lstm import StackedLSTM, StackedLSTMCell
    from memtape.models.trees import RNTN, Recursive, TreeLSTM
    from memtape.models.turing import NTM, NTMCell
    from memtape.tasks.algorithmic import (
        Allocation,
        AssociativeRecall,
        Copy,
        DynamicNGrams,
        IndependentCopies,
        KeyValue,
        PrioritySort,
        RepeatCopy,
        RepeatCopyDNC,
    )
    from memtape.tasks.dynamics import Narma
    from memtape.tasks.graph import Inference, ShortestPath, Traversal
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
    "DAM": "memtape.models.sparse_access",
    "DAMCell": "memtape.models.sparse_access",
    "DNCCell": "memtape.models.dnc",
    "SAM": "memtape.models.sparse_access",
    "SAMCell": "memtape.models.sparse_access",
    "SDNC": "memtape.models.sparse_computer",
    "SDNCCell": "memtape.models.sparse_computer",
    "Elman": "memtape.models.elman",
    "GRU": "memtape.models.gru",
    "Jordan": "memtape.models.jordan",
    "Leaky": "memtape.models.leaky",
    "NTM": "memtape.models.turing",
    "NTMCell": "memtape.models.turing",
    "Orthogonal": "memtape.models.orthogonal",
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
    "Traversal": "memtape.tasks.graph",
    "ShortestPath": "memtape.tasks.graph",
    "Inference": "memtape.tasks.graph",
    "RepeatCopyDNC": "memtape.tasks.algorithmic",
    "KeyValue": "memtape.tasks.algorithmic",
    "IndependentCopies": "memtape.tasks.algorithmic",
    "Allocation": "memtape.tasks.algorithmic",
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
    "DAM",
    "DNC",
    "GRU",
    "NTM",
    "RNTN",
    "SAM",
    "SDNC",
    "Adding",
    "Allocation",
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
    "DAMCell",
    "DNCCell",
    "Digits",
    "DrawnTask",
    "DynamicNGrams",
    "EchoState",
    "Elman",
    "HeldTask",
    "IndependentCopies",
    "Inference",
    "Interface",
    "Jordan",
    "KeyValue",
    "Leaky",
    "Memory",
    "NTMCell",
    "Narma",
    "Orthogonal",
    "Pairs",
    "PrioritySort",
    "Recurrent",
    "Recursive",
    "RepeatCopy",
    "RepeatCopyDNC",
    "SAMCell",
    "SDNCCell",
    "Scan",
    "Sentiment",
    "Seq2Seq",
    "SequenceBatch",
    "ShortestPath",
    "Skip",
    "StackedLSTM",
    "StackedLSTMCell",
    "Task",
    "Traversal",
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
