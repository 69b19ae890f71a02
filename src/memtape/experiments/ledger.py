"""Ledger: the results of training by each recipe, seed by seed, in the files of `results/`.

A result is `results/<model>/<task>[-variant].json`, named like its recipe. The installed package contains a copy of
them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from memtape.catalog.recipe import Recipe
from memtape.catalog.registry import RECIPES, find
from memtape.core.atomic_write import write_atomically
from memtape.experiments.sweep.statistics import wilson_interval

PACKAGE = Path(__file__).parent.parent
SOURCE_TREE = PACKAGE.parent.parent
IN_SOURCE_TREE = (SOURCE_TREE / "pyproject.toml").is_file()
FOLDER = SOURCE_TREE / "results" if IN_SOURCE_TREE else PACKAGE / "results"

OPTIONAL = ("data", "data_record", "each")
"""Fields that only results on data, or with several values of an option, have."""


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
    """For each training run: its seed, whether and when it was solved, steps, sequences, seconds, the mean loss of the
    last steps of training, and "metrics"; or its "error". With `each`, also the value of that option."""
    each: str | None = None
    """The option with several values, such as "task.numbers", that a recipe is trained with; None for one value."""
    data: str | None = None
    """Kind of data, "real" or "synthetic", of tasks that read data."""
    data_record: Mapping[str, Any] | None = None
    """The data with its counts and digests, as `DataRecord.to_json` returns it; None for results without it."""

    @property
    def finished(self) -> list[Mapping[str, Any]]:
        """The seeds that finished training; with `each`, those that finished it with all values, with mean metrics."""
        rows = [seed for seed in self.seeds if "metrics" in seed]
        if self.each is None:
            return rows
        by_seed = {row["seed"]: [other for other in rows if other["seed"] == row["seed"]] for row in rows}
        return [_over_values(same) for same in by_seed.values() if len(same) == len(self.values)]

    @property
    def values(self) -> list[Any]:
        """The values of the option `each`, in order; none without it."""
        return list(dict.fromkeys(row["each"] for row in self.seeds if "each" in row))

    @property
    def trained(self) -> int:
        """The number of seeds, finished or not."""
        return len({row["seed"] for row in self.seeds})

    def with_value(self, value: Any) -> "Result":
        """Return the training runs with one value of the option `each`, as a result without `each`."""
        return replace(self, each=None, seeds=[row for row in self.seeds if row["each"] == value])

    @property
    def selected(self) -> Mapping[str, Any] | None:
        """The finished training run with the lowest loss in its last steps of training, as papers select one."""
        known = [seed for seed in self.finished if "training_loss" in seed]
        return min(known, key=lambda seed: seed["training_loss"]) if known else None

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

    def mean(self, metric: str) -> tuple[float, float]:
        """Return the mean of a metric over seeds, and its standard deviation, 0 for one seed."""
        values = [seed["metrics"][metric] for seed in self.finished]
        return fmean(values), stdev(values) if len(values) > 1 else 0.0

    def spread(self, metric: str) -> Spread:
        """Return the median of a metric over seeds, and its range."""
        values = [seed["metrics"][metric] for seed in self.finished]
        return Spread(median=median(values), low=min(values), high=max(values))


def _over_values(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the training runs of one seed with different values as one, with summed seconds and mean metrics."""
    shared = [name for name in rows[0]["metrics"] if all(name in row["metrics"] for row in rows)]
    return {
        "seed": rows[0]["seed"],
        "seconds": sum(row["seconds"] for row in rows),
        "metrics": {name: fmean(row["metrics"][name] for row in rows) for name in shared},
    }


def score_of(metric: str) -> str:
    """Return the name of the score of a metric, such as "accuracy" of "validation_accuracy" and "accuracy_test"."""
    return metric.removeprefix("validation_") if metric.startswith("validation_") else metric.rpartition("_")[0]


def result_file(recipe: str) -> Path:
    """Return the path of the result of a recipe, whether or not it exists."""
    return FOLDER / f"{recipe}.json"


def read_result(recipe: str) -> Result | None:
    """Return the result of a recipe, or None if there is none yet."""
    file = result_file(recipe)
    return Result(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def write_result(result: Result) -> Path:
    """Write a result into the ledger, over the previous one, and return its file."""
    order = ("model", "task", "recipe", "command", *OPTIONAL, "commit", "hardware", "environment", "seeds")
    fields = {name: getattr(result, name) for name in order}
    values = {name: value for name, value in fields.items() if value is not None or name not in OPTIONAL}
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
