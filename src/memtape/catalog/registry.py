"""Registry: find a model, a task or a recipe by its name."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from memtape.catalog.built_in import built_in
from memtape.catalog.entry import Entry, ModelEntry, TaskEntry
from memtape.catalog.plugins import plugins
from memtape.catalog.recipe import Recipe
from memtape.catalog.recipe_reader import FOLDER, RecipeTree
from memtape.catalog.unknown_name import UnknownNameError, hint

__all__ = ["MODELS", "RECIPES", "TASKS", "Entry", "TaskEntry", "UnknownNameError", "find", "hint", "recipe_for"]

E = TypeVar("E", ModelEntry, TaskEntry)


class Register(Mapping[str, E]):
    """Entries of one kind by name, including plugins; cards are read at the first look-up.

    Args:
        kind: the class of the entries.
    """

    def __init__(self, kind: type[E]):
        self.kind: type[E] = kind

    def __getitem__(self, name: str) -> E:
        """Return the entry of a name."""
        return self._entries()[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names, ordered by family and then alphabetically; plugins come last."""
        return iter(self._entries())

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries())

    def _entries(self) -> dict[str, E]:
        return {entry.name: entry for entry in (*built_in(), *plugins()) if isinstance(entry, self.kind)}


MODELS = Register(ModelEntry)
TASKS = Register(TaskEntry)

RECIPES = RecipeTree(FOLDER, MODELS, TASKS)


def find(kind: str, name: str) -> Any:
    """Return a model, task or recipe by name.

    Raises:
        UnknownNameError: there is none; the message suggests a similar name.
        RecipeError: the page of a recipe is damaged.
    """
    if kind == "recipe":
        name = RECIPES.renamed(name)
    registries: dict[str, Mapping[str, Any]] = {"model": MODELS, "task": TASKS, "recipe": RECIPES}
    known = registries[kind]
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return known[name]


def recipe_for(model: str, task: str) -> Recipe | None:
    """Return the default recipe of a model and a task: the one without a variant."""
    return RECIPES.get(f"{model}/{task}")
