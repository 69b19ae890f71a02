"""Exported operators: after `import memtape`, `torch.export.load` finds the kernels and the states of memtape."""

import importlib
import sys
from importlib.machinery import ModuleSpec

READER = "torch._export.serde.serialize"
"""The module that reads programs; torch imports it when the first one is saved or loaded."""


def register_when_needed() -> None:
    """Register memtape's operators and states just before torch reads a program, or now if it has read one already.

    This imports nothing, so that `import memtape` stays fast.
    """
    if READER in sys.modules:
        _register()
    elif not any(isinstance(finder, _BeforeReader) for finder in sys.meta_path):
        sys.meta_path.insert(0, _BeforeReader())


def _register() -> None:
    names = importlib.import_module("memtape.catalog.built_in").public_names()
    models = sorted({module for module in names.values() if module.startswith("memtape.models.")})
    for module in ("memtape.kernels", "memtape.cells", "memtape.memory", *models):
        importlib.import_module(module)


class _BeforeReader:
    """A finder of modules that finds none; it is notified of the first import of the reader."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Register the operators if the reader is imported, and leave the import to the other finders."""
        if name == READER:
            sys.meta_path.remove(self)
            _register()
        return None
