"""memtape: neural networks with a memory you can read, write and look into.

Names are imported when they are first used, so that the command line answers without loading torch. Those of models and tasks
come from their cards; `__init__.pyi` lists all of them for type checkers, and `make generated` writes it.
"""

import importlib
from typing import Any

from memtape.core.extra import importing
from memtape.exported_operators import register_when_needed
from memtape.version import __version__ as __version__

_PARTS = {
    # core
    "Cell": "memtape.core.cell",
    "DrawnTask": "memtape.core.task",
    "HeldTask": "memtape.core.task",
    "Interface": "memtape.core.memory",
    "Memory": "memtape.core.memory",
    "MissingKernelsWarning": "memtape.core.missing_kernels",
    "ModelCard": "memtape.core.card",
    "Pairs": "memtape.core.inputs.pairs",
    "Recurrent": "memtape.core.recurrent",
    "SequenceBatch": "memtape.core.batch",
    "Stories": "memtape.core.inputs.stories",
    "Task": "memtape.core.task",
    "TaskCard": "memtape.core.card",
    "TreeCell": "memtape.core.tree_cell",
    "Trees": "memtape.core.inputs.trees",
    "TwoViews": "memtape.core.inputs.two_views",
    "collate": "memtape.core.collate",
    "core": "memtape.core",
    "fold": "memtape.core.fold",
    "state": "memtape.core.state",
    "tree": "memtape.core.state_tree",
    "unroll": "memtape.core.unroll",
    "use_backend": "memtape.core.backends",
    # training
    "DataRecord": "memtape.core.data_record",
    "Fit": "memtape.experiments.fit",
    "LoadedRun": "memtape.experiments.loaded_run",
    "Trace": "memtape.core.trace",
    "TrainSettings": "memtape.training.settings",
    "evaluate": "memtape.experiments.evaluate",
    "fit": "memtape.experiments.fit",
    "load": "memtape.experiments.loaded_run",
    # parts
    "cells": "memtape.cells",
    "deploy": "memtape.deploy",
    "memory": "memtape.memory",
    "nn": "memtape.nn",
    "ops": "memtape.ops",
    "AugmentedCell": "memtape.models.machine.augmented",
    "automata": "memtape.automata",
    "beam_search": "memtape.inference.decoding",
    "generate": "memtape.inference.generation",
    "greedy": "memtape.inference.decoding",
    "ports": "memtape.ports",
    "theory": "memtape.theory",
    "ScheduledCell": "memtape.models.machine.scheduled",
}
"""Names that belong to no model and no task, each with its module."""


register_when_needed()


def _modules() -> dict[str, str]:
    """Return all public names, each with its module."""
    return {**_PARTS, **importlib.import_module("memtape.catalog.built_in").public_names()}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*_modules(), "__version__"])
    place = _PARTS.get(name) or (None if name.startswith("_") else _modules().get(name))
    if place is None:
        raise AttributeError(f"module 'memtape' has no attribute {name!r}")
    with importing(f"memtape.{name}"):
        module = importlib.import_module(place)
    return module if place == f"memtape.{name}" or name == "tree" else getattr(module, name)


def __dir__() -> list[str]:
    return __getattr__("__all__")
