"""Registry: the names of models, tasks and recipes; a configuration names nothing else."""

import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from memtape.recipes import algorithmic
from memtape.recipes.options import Option, options_of
from memtape.recipes.recipe import Recipe


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
    test_lengths: tuple[int, ...]
    """Lengths of the final evaluation, those of training first."""
    picture_length: int
    """Length of the sequence in the picture of the tape, beyond those of training."""


GRAVES_2014 = "Graves, Wayne & Danihelka (2014), Neural Turing Machines, arXiv:1410.5401"

MODELS = {
    entry.name: entry
    for entry in (
        Entry(
            name="ntm",
            summary="Neural Turing Machine: a controller that reads and writes a tape of slots.",
            paper=GRAVES_2014,
            path="memtape.models.turing:NTM",
            constructor="memtape.models.turing:NTMCell",
        ),
        Entry(
            name="lstm",
            summary="Stacked LSTM layers with a linear readout: the paper's baseline without external memory.",
            paper=GRAVES_2014,
            path="memtape.models.stacked_lstm:StackedLSTM",
            constructor="memtape.models.stacked_lstm:StackedLSTMCell",
        ),
    )
}


def _algorithmic(name: str, file: str, kind: str, **rest: Any) -> TaskEntry:
    path = f"memtape.tasks.algorithmic.{file}:{kind}"
    return TaskEntry(name=name, paper=GRAVES_2014, path=path, constructor=path, **rest)


TASKS = {
    entry.name: entry
    for entry in (
        _algorithmic(
            "copy",
            "copying",
            "Copy",
            summary="Remember a sequence of bit vectors and say it again.",
            unit="vectors",
            test_lengths=(10, 20, 30, 50, 120),
            picture_length=50,
        ),
        _algorithmic(
            "repeat-copy",
            "repeat_copy",
            "RepeatCopy",
            summary="Say a sequence of bit vectors as often as asked, and then stop.",
            unit="vectors",
            test_lengths=(5, 10, 15, 20),
            picture_length=15,
        ),
        _algorithmic(
            "associative-recall",
            "associative_recall",
            "AssociativeRecall",
            summary="Given an item of a list, say the one that followed it.",
            unit="items",
            test_lengths=(3, 6, 10, 15, 20),
            picture_length=10,
        ),
        _algorithmic(
            "ngrams",
            "ngrams",
            "DynamicNGrams",
            summary="Predict the next bit of a source that is drawn anew for every sequence.",
            unit="bits",
            test_lengths=(200, 400),
            picture_length=240,
        ),
        _algorithmic(
            "priority-sort",
            "priority_sort",
            "PrioritySort",
            summary="Say the most urgent of a list of bit vectors, in order.",
            unit="vectors",
            test_lengths=(20, 30),
            picture_length=30,
        ),
    )
}


RECIPES = {recipe.name: recipe for recipe in algorithmic.RECIPES}


def hint(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the cure for a name that does not exist: the one that is near, or all of its kind."""
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"the {kind}s are {', '.join(known)}"


class UnknownNameError(ValueError):
    """A name that the registry does not have."""

    def __init__(self, kind: str, name: str, known: Mapping[str, Any]):
        super().__init__(f'there is no {kind} "{name}"; {hint(kind, name, known)}')


def find(kind: str, name: str) -> Any:
    """Return a model, task or recipe by name.

    Raises:
        UnknownNameError: there is none; the message says which is near.
    """
    registries: dict[str, Mapping[str, Any]] = {"model": MODELS, "task": TASKS, "recipe": RECIPES}
    known = registries[kind]
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return known[name]


def recipe_for(model: str, task: str) -> Recipe | None:
    """Return the recipe that is used for a model and a task unless another is asked for: the first one of the two."""
    return next((recipe for recipe in RECIPES.values() if (recipe.model, recipe.task) == (model, task)), None)
