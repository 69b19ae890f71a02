"""Registry: finds a model, a task or a recipe by its name; a configuration names nothing else."""

from collections.abc import Mapping
from typing import Any

from memtape.catalog.entry import Entry, TaskEntry
from memtape.catalog.model_entries import MODELS
from memtape.catalog.recipe import Recipe
from memtape.catalog.recipe_reader import FOLDER, RecipeTree
from memtape.catalog.task_entries import TASKS
from memtape.catalog.unknown_name import UnknownNameError, hint

__all__ = ["MODELS", "RECIPES", "TASKS", "Entry", "TaskEntry", "UnknownNameError", "find", "hint", "recipe_for"]

RECIPES = RecipeTree(FOLDER, MODELS, TASKS)


def find(kind: str, name: str) -> Any:
    """Return a model, task or recipe by name.

    Raises:
        UnknownNameError: there is none; the message says which is near.
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
    """Return the recipe that is used for a model and a task unless another is asked for: the one without a variant."""
    return RECIPES.get(f"{model}/{task}")
