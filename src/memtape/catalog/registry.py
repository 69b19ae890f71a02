"""Registry: finds a model, a task or a recipe by its name; a configuration names nothing else."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from memtape.catalog import algorithmic, differentiable, sequences
from memtape.catalog.entry import Entry, TaskEntry
from memtape.catalog.model_entries import MODELS
from memtape.catalog.recipe import Recipe
from memtape.catalog.task_entries import TASKS
from memtape.core.errors import RequestError

__all__ = ["MODELS", "RECIPES", "TASKS", "Entry", "TaskEntry", "UnknownNameError", "find", "hint", "recipe_for"]

RECIPES = {recipe.name: recipe for recipe in (*algorithmic.RECIPES, *differentiable.RECIPES, *sequences.RECIPES)}


def hint(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the cure for a name that does not exist: the one that is near, or all of its kind."""
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"the {kind}s are {', '.join(known)}"


class UnknownNameError(RequestError):
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
