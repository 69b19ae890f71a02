"""Built in: the models and tasks of memtape, from the cards in their files."""

from functools import cache
from pathlib import Path
from typing import Any

from memtape.catalog.card_reader import CardFile, read_cards
from memtape.catalog.entry import ModelEntry, TaskEntry
from memtape.core.card import ModelCard, TaskCard

PACKAGE = Path(__file__).parent.parent


def entry_of(one: CardFile, module: str, plugin: str | None = None) -> ModelEntry | TaskEntry:
    """Return the entry of a file with a card.

    Args:
        one: the file.
        module: name of its module.
        plugin: the plugin that it comes from; None if it is part of memtape.
    """
    place: dict[str, Any] = {"module": module, "file": one.file, "classes": one.classes, "plugin": plugin}
    if isinstance(one.card, ModelCard):
        return ModelEntry(card=one.card, **place)
    assert isinstance(one.card, TaskCard)
    return TaskEntry(card=one.card, **place)


@cache
def built_in() -> tuple[ModelEntry | TaskEntry, ...]:
    """Return all models and then all tasks, ordered by folder and name."""
    found = [*read_cards(PACKAGE / "models"), *read_cards(PACKAGE / "tasks")]
    return tuple(entry_of(one, _module(one.file)) for one in found)


def public_names() -> dict[str, str]:
    """Return the public classes of all files with a card, each with its module."""
    return {name: entry.module for entry in built_in() for name in entry.classes}


def _module(file: Path) -> str:
    return ".".join(("memtape", *file.relative_to(PACKAGE).with_suffix("").parts))
