"""Entry: what is known of a model or a task by its name, before anything heavy is imported."""

import importlib
from dataclasses import dataclass
from typing import Any

from memtape.catalog.options import Option, options_of


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model or a task by name."""

    name: str
    summary: str
    """One sentence."""
    paper: str
    path: str
    """Where its class is, as "package.module:Class"."""
    constructor: str
    """Where the constructor with the options is; of a model that runs over sequences, that of its cell."""

    @property
    def options(self) -> tuple[Option, ...]:
        """What its constructor can be told."""
        return options_of(self.constructor)

    def load(self) -> Any:
        """Import the class."""
        module, _, name = self.path.partition(":")
        return getattr(importlib.import_module(module), name)


@dataclass(frozen=True, kw_only=True)
class TaskEntry(Entry):
    """A task by name, with what to test it on."""

    unit: str
    """What a length counts."""
    test_lengths: tuple[int, ...] = ()
    """Lengths of the final evaluation, those of training first; none for a test split that is what it is."""
    picture_length: int = 0
    """Length of the sequence in the picture of the tape, beyond those of training; 0 for no picture."""
