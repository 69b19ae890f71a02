"""Ledger: the results of training by each recipe, seed by seed, in the files of `results/`.

A result is `results/<model>/<task>[-variant].json`, named like its recipe. The installed package contains a copy of
them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from memtape.catalog.recipe import Recipe
from memtape.catalog.registry import RECIPES, find
from memtape.core.atomic_write import write_atomically
from memtape.experiments.sweep.statistics import wilson_interval

PACKAGE = Path(__file__).parent.parent
SOURCE_TREE = PACKAGE.parent.parent
IN_SOURCE_TREE = (SOURCE_TREE / "pyproject.toml").is_file()
FOLDER = SOURCE_TREE / "results" if IN_SOURCE_TREE else PACKAGE / "results"

DATA = ("data", "data_record")
"""Fields of a result that only tasks on data have."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A score over seeds."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of training by a recipe."""

    recipe: str
    model: str
    task: str
    command: str
    """The command that repeats it."""
    commit: str | None
    hardware: str
    environment: Mapping[str, str]
    seeds: Sequence[Mapping[str, Any]]
    """For each seed: whether and when it was solved, steps, sequences, seconds, and "metrics"; or its "error"."""
    data: str | None = None
    """Kind of data, "real" or "synthetic", of tasks that read data."""
    data_record: Mapping[str, Any] | None = None
    """The data with its counts and digests, as `DataRecord.to_json` returns it; None for results without it."""

    @property
    def finished(self) -> list[Mapping[str, Any]]:
        """The seeds that finished training."""
        return [seed for seed in self.seeds if "metrics" in seed]

    @property
    def solved(self) -> int:
        """How many seeds were solved."""
        return sum(seed["solved"] for seed in self.seeds)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the share of solved seeds."""
        return wilson_interval(self.solved, len(self.seeds))

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics: "validation_" and a score, or a score and "_test" or a length."""
        return list(self.finished[0]["metrics"]) if self.finished else []

    @property
    def minutes(self) -> float | None:
        """The median minutes over seeds; other processes may have shared the cores."""
        return median(seed["seconds"] for seed in self.finished) / 60 if self.finished else None

    @property
    def machine(self) -> str:
        """The processor and its cores."""
        return ", ".join(self.hardware.split(", ")[:-2]) or self.hardware

    def spread(self, metric: str) -> Spread:
        """Return the median of a metric over seeds, and its range."""
        values = [seed["metrics"][metric] for seed in self.finished]
        return Spread(median=median(values), low=min(values), high=max(values))


def result_file(recipe: str) -> Path:
    """Return the path of the result of a recipe, whether or not it exists."""
    return FOLDER / f"{recipe}.json"


def read_result(recipe: str) -> Result | None:
    """Return the result of a recipe, or None if there is none yet."""
    file = result_file(recipe)
    return Result(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def write_result(result: Result) -> Path:
    """Write a result into the ledger, over the previous one, and return its file."""
    order = ("model", "task", "recipe", "command", *DATA, "commit", "hardware", "environment", "seeds")
    values = {name: getattr(result, name) for name in order if getattr(result, name) is not None or name not in DATA}
    file = result_file(result.recipe)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, f"{json.dumps(values, indent=2)}\n".encode())
    return file


def results(model: str | None = None, tasks: Sequence[str] = ()) -> list[tuple[Recipe, Result]]:
    """Return every recipe that has a result, with it, in the order of the recipes.

    Args:
        model: only recipes of this model; None for all.
        tasks: only recipes of these tasks, in this order; empty for all.
    """
    named = [RECIPES[name] for name in RECIPES if result_file(name).is_file()]
    chosen = [recipe for recipe in named if model in (None, recipe.model) and (not tasks or recipe.task in tasks)]
    if tasks:
        chosen.sort(key=lambda recipe: tasks.index(recipe.task))
    return [(recipe, result) for recipe in chosen if (result := read_result(recipe.name)) is not None]


def headlines(recipe: Recipe, metrics: Sequence[str]) -> list[str]:
    """Return the headline metrics of a result: those that the paper reports, or the first score of the task.

    The first score is on the test split, or on validation if tests have several lengths.
    """
    if known := [metric for metric in recipe.published if metric in metrics]:
        return known
    first = find("task", recipe.task).load().scored[0].name
    return [name for name in (f"{first}_test", f"validation_{first}") if name in metrics][:1]
