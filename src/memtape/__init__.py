"""memtape: neural networks with a memory you can read, write and look into.

Names are imported when they are first used, so that the command line answers without loading torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from memtape.version import __version__

if TYPE_CHECKING:
    from memtape import cells, core, memory, ops, ports
    from memtape.core import state_tree as tree
    from memtape.core.backends import use_backend
    from memtape.core.batch import SequenceBatch
    from memtape.core.cell import Cell
    from memtape.core.fold import fold
    from memtape.core.inputs.pairs import Pairs
    from memtape.core.inputs.trees import Trees
    from memtape.core.memory import Interface, Memory
    from memtape.core.recurrent import Recurrent
    from memtape.core.state import state
    from memtape.core.task import DrawnTask, HeldTask, Task
    from memtape.core.tree_cell import TreeCell
    from memtape.core.unroll import unroll
    from memtape.inference.decoding import beam_search, greedy
    from memtape.inference.generation import generate
    from memtape.models.dnc.bidnc import BiDNC
    from memtape.models.dnc.dnc import DNC, DNCCell
    from memtape.models.machine.augmented import AugmentedCell
    from memtape.models.ntm.ntm import NTM, NTMCell
    from memtape.models.recurrent.bidirectional import BiGRU, BiLSTM
    from memtape.models.recurrent.clockwork import Clockwork
    from memtape.models.recurrent.elman import Elman
    from memtape.models.recurrent.esn import EchoState
    from memtape.models.recurrent.gru import GRU
    from memtape.models.recurrent.jordan import Jordan
    from memtape.models.recurrent.leaky import Leaky
    from memtape.models.recurrent.lru import LRU
    from memtape.models.recurrent.lstm import StackedLSTM, StackedLSTMCell
    from memtape.models.recurrent.orthogonal import Orthogonal
    from memtape.models.recurrent.skip import Skip
    from memtape.models.sam.sam import DAM, SAM, DAMCell, SAMCell
    from memtape.models.sam.sdnc import SDNC, SDNCCell
    from memtape.models.seq2seq.seq2seq import Seq2Seq
    from memtape.models.tree.tree_networks import RNTN, Recursive, TreeLSTM
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
    from memtape.tasks.language import Boolean, Characters, Scan, Sentiment
    from memtape.tasks.long_range import Adding, CopyMemory
    from memtape.tasks.music import Chorales

_MODULES = {
    # core
    "Cell": "memtape.core.cell",
    "DrawnTask": "memtape.core.task",
    "HeldTask": "memtape.core.task",
    "Interface": "memtape.core.memory",
    "Memory": "memtape.core.memory",
    "Pairs": "memtape.core.inputs.pairs",
    "Recurrent": "memtape.core.recurrent",
    "SequenceBatch": "memtape.core.batch",
    "Task": "memtape.core.task",
    "TreeCell": "memtape.core.tree_cell",
    "Trees": "memtape.core.inputs.trees",
    "core": "memtape.core",
    "fold": "memtape.core.fold",
    "state": "memtape.core.state",
    "tree": "memtape.core.state_tree",
    "unroll": "memtape.core.unroll",
    "use_backend": "memtape.core.backends",
    # parts
    "cells": "memtape.cells",
    "memory": "memtape.memory",
    "ops": "memtape.ops",
    # models
    "AugmentedCell": "memtape.models.machine.augmented",
    "BiDNC": "memtape.models.dnc.bidnc",
    "BiGRU": "memtape.models.recurrent.bidirectional",
    "BiLSTM": "memtape.models.recurrent.bidirectional",
    "Clockwork": "memtape.models.recurrent.clockwork",
    "EchoState": "memtape.models.recurrent.esn",
    "DNC": "memtape.models.dnc.dnc",
    "DAM": "memtape.models.sam.sam",
    "DAMCell": "memtape.models.sam.sam",
    "DNCCell": "memtape.models.dnc.dnc",
    "SAM": "memtape.models.sam.sam",
    "SAMCell": "memtape.models.sam.sam",
    "SDNC": "memtape.models.sam.sdnc",
    "SDNCCell": "memtape.models.sam.sdnc",
    "Elman": "memtape.models.recurrent.elman",
    "GRU": "memtape.models.recurrent.gru",
    "Jordan": "memtape.models.recurrent.jordan",
    "Leaky": "memtape.models.recurrent.leaky",
    "LRU": "memtape.models.recurrent.lru",
    "NTM": "memtape.models.ntm.ntm",
    "NTMCell": "memtape.models.ntm.ntm",
    "Orthogonal": "memtape.models.recurrent.orthogonal",
    "RNTN": "memtape.models.tree.tree_networks",
    "Recursive": "memtape.models.tree.tree_networks",
    "Seq2Seq": "memtape.models.seq2seq.seq2seq",
    "Skip": "memtape.models.recurrent.skip",
    "StackedLSTM": "memtape.models.recurrent.lstm",
    "StackedLSTMCell": "memtape.models.recurrent.lstm",
    "TreeLSTM": "memtape.models.tree.tree_networks",
    "beam_search": "memtape.inference.decoding",
    "generate": "memtape.inference.generation",
    "greedy": "memtape.inference.decoding",
    "ports": "memtape.ports",
    # tasks
    "Adding": "memtape.tasks.long_range",
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
    "CopyMemory": "memtape.tasks.long_range",
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
    "LRU",
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
