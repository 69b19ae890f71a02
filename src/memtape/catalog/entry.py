"""Entry: a model or a task by its name, with its card, its options and its class."""

import importlib
import importlib.util
import sys
from abc import ABC
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from memtape.catalog.options import Option, options_of
from memtape.catalog.references import cited
from memtape.core.card import Card, ModelCard, TaskCard
from memtape.core.errors import RequestError


class PluginError(RequestError):
    """A plugin that is missing or cannot be used; the message states the reason and the cure."""


@dataclass(frozen=True, kw_only=True)
class Entry(ABC):
    """Abstract entry of the catalog: a model or a task.

    Attributes:
        card: the card of its file.
        module: name of the module.
        file: the file of that module.
        classes: the public classes of the file; the last one is the model or the task.
        plugin: the plugin that it comes from, such as "reversal.py" or "my-package 1.0"; None if it is part of memtape.
    """

    card: Card
    module: str
    file: Path
    classes: tuple[str, ...]
    plugin: str | None = None

    @property
    def name(self) -> str:
        """The name on the command line."""
        return self.card.name

    @property
    def summary(self) -> str:
        """One sentence."""
        return self.card.summary

    @property
    def paper(self) -> str:
        """Where it was published: authors, year, title and venue."""
        return "; ".join(map(cited, self.card.paper))

    @property
    def class_name(self) -> str:
        """Name of its class."""
        return self.classes[-1]

    @property
    def options(self) -> tuple[Option, ...]:
        """The keyword arguments of its constructor, read from the source.

        Raises:
            PluginError: the options of a plugin cannot be read.
        """
        try:
            return options_of(self.file, self.class_name)
        except (ValueError, SyntaxError, OSError, RecursionError) as error:
            if self.plugin is None:
                raise
            raise PluginError(f"the options of the plugin {self.plugin} cannot be read: {error}") from None

    def load(self) -> Any:
        """Import the class.

        Raises:
            PluginError: the class of a plugin cannot be imported.
        """
        if self.plugin is None:
            return getattr(importlib.import_module(self.module), self.class_name)
        try:
            return getattr(_imported(self.module, self.file), self.class_name)
        except Exception as error:
            raise PluginError(
                f"the plugin {self.plugin} cannot be imported ({type(error).__name__}: {error}); correct it there"
            ) from error


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Entry):
    """A model of the catalog."""

    card: ModelCard


@dataclass(frozen=True, kw_only=True)
class TaskEntry(Entry):
    """A task of the catalog, with the lengths of its tests."""

    card: TaskCard

    @property
    def unit(self) -> str:
        """The unit of a length, such as "vectors"."""
        return self.card.unit

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """Lengths of the final evaluation; the lengths of training come first."""
        return self.card.test_lengths

    @property
    def picture_length(self) -> int:
        """Length of the sequence in the picture of the memory; 0 for no picture."""
        return self.card.picture_length


def _imported(name: str, file: Path) -> ModuleType:
    """Import a module by its name, or from its file if it is not on the path."""
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
