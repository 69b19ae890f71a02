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
    from memtape.core.memory import Interface, Memory
    from memtape.core.recurrent import Recurrent
    from memtape.core.state import state
    from memtape.core.task import Task
    from memtape.core.unroll import unroll
    from memtape.models.augmented import AugmentedCell
    from memtape.models.bidirectional import BiGRU, BiLSTM
    from memtape.models.clockwork import Clockwork
    from memtape.models.echo_state import EchoState
    from memtape.models.elman import Elman
    from memtape.models.gru import GRU
    from memtape.models.jordan import Jordan
    from memtape.models.leaky import Leaky
    from memtape.models.seq2seq import Seq2Seq
    from memtape.models.skip import Skip
    from memtape.models.stacked_lstm import StackedLSTM, StackedLSTMCell
    from memtape.models.trees import RNTN, Recursive, TreeLSTM
    from memtape.models.turing import NTM, NTMCell
    from memtape.tasks.algorithmic import AssociativeRecall, Copy, DynamicNGrams, PrioritySort, RepeatCopy

_MODULES = {
    # core
    "Cell": "memtape.core.cell",
    "Interface": "memtape.core.memory",
    "Memory": "memtape.core.memory",
    "Recurrent": "memtape.core.recurrent",
    "SequenceBatch": "memtape.core.batch",
    "Task": "memtape.core.task",
    "core": "memtape.core",
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
    "BiGRU": "memtape.models.bidirectional",
    "BiLSTM": "memtape.models.bidirectional",
    "Clockwork": "memtape.models.clockwork",
    "EchoState": "memtape.models.echo_state",
    "Elman": "memtape.models.elman",
    "GRU": "memtape.models.gru",
    "Jordan": "memtape.models.jordan",
    "Leaky": "memtape.models.leaky",
    "RNTN": "memtape.models.trees",
    "Recursive": "memtape.models.trees",
    "Seq2Seq": "memtape.models.seq2seq",
    "Skip": "memtape.models.skip",
    "TreeLSTM": "memtape.models.trees",
    "NTM": "memtape.models.turing",
    "NTMCell": "memtape.models.turing",
    "StackedLSTM": "memtape.models.stacked_lstm",
    "StackedLSTMCell": "memtape.models.stacked_lstm",
    "ports": "memtape.ports",
    # tasks
    "AssociativeRecall": "memtape.tasks.algorithmic",
    "Copy": "memtape.tasks.algorithmic",
    "DynamicNGrams": "memtape.tasks.algorithmic",
    "PrioritySort": "memtape.tasks.algorithmic",
    "RepeatCopy": "memtape.tasks.algorithmic",
}

__all__ = [
    "GRU",
    "NTM",
    "RNTN",
    "AssociativeRecall",
    "AugmentedCell",
    "BiGRU",
    "BiLSTM",
    "Cell",
    "Clockwork",
    "Copy",
    "DynamicNGrams",
    "EchoState",
    "Elman",
    "Interface",
    "Jordan",
    "Leaky",
    "Memory",
    "NTMCell",
    "PrioritySort",
    "Recurrent",
    "Recursive",
    "RepeatCopy",
    "Seq2Seq",
    "SequenceBatch",
    "Skip",
    "StackedLSTM",
    "StackedLSTMCell",
    "Task",
    "TreeLSTM",
    "__version__",
    "cells",
    "core",
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
