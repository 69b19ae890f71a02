"""Parts: the scores of a result part by part, such as the tasks of bAbI.

The parts are the values of the option with which a recipe is reproduced, one network for each; or, for one network, the
lengths that the final evaluation also scores by themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from memtape.catalog.recipe import Recipe
from memtape.catalog.registry import find
from memtape.experiments.ledger import Result, headlines, score_of

PASSED = 0.95
"""The share of correct answers at which a task of bAbI counts as passed."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The scores of one part over seeds."""

    name: str
    selected: float | None
    """The score of the seed with the lowest training loss; None without finished seeds."""
    mean: float | None
    deviation: float | None
    """The standard deviation over seeds."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The scores of all parts of a result."""

    title: str
    option: str
    parts: Sequence[Part]
    published: Mapping[str, Sequence[float]]
    """Published scores of the parts by network."""
    share: bool
    """Whether the score is a share, of which more is better."""

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each part, one for the mean, and one for the number of passed parts."""
        columns: dict[str, list[float | None]] = {
            "lowest training loss": [part.selected for part in self.parts],
            "mean of seeds": [part.mean for part in self.parts],
            "sd of seeds": [part.deviation for part in self.parts],
            **{f"published {network}": list(numbers) for network, numbers in self.published.items()},
        }
        rows: list[dict[str, Any]] = [
            {self.option: part.name, **{name: numbers[at] for name, numbers in columns.items()}}
            for at, part in enumerate(self.parts)
        ]
        known = {name: [one for one in numbers if one is not None] for name, numbers in columns.items()}
        rows.append({self.option: "mean", **{name: fmean(numbers) for name, numbers in known.items() if numbers}})
        if self.share:
            passed = {name: sum(one >= PASSED for one in numbers) for name, numbers in known.items()}
            del passed["sd of seeds"]
            rows.append({self.option: f"at least {PASSED}", **passed})
        return rows


def parts_of(recipe: Recipe, result: Result) -> Parts | None:
    """Return the parts of a result; None for a result of one part.

    Args:
        recipe: the recipe.
        result: its result.
    """
    within = part_metrics(recipe, result)
    if not result.finished or not (within or result.each):
        return None
    metric = headlines(recipe, result.metrics)[0]
    if result.each is not None:
        parts = [_part(str(value), result.with_value(value), metric) for value in result.values]
    else:
        parts = [_part(name.rpartition("_")[2], result, name) for name in within]
    places = {} if recipe.each is None else {str(value): at for at, value in enumerate(recipe.each[1])}
    scored = find("task", recipe.task).load().scored
    seeds = "1 seed" if result.trained == 1 else f"{result.trained} seeds"
    return Parts(
        title=f"`{recipe.name}`, {metric.replace('_', ' ')}, {seeds}:",
        option="task" if result.each is None else result.each.rpartition(".")[2].replace("_", " "),
        parts=parts,
        published={
            name: [numbers[places[part.name]] if places else numbers[at] for at, part in enumerate(parts)]
            for name, numbers in recipe.published_each.items()
        },
        share=next(score.higher_is_better for score in scored if score.name == score_of(metric)),
    )


def part_metrics(recipe: Recipe, result: Result) -> list[str]:
    """Return the metrics of the lengths that are parts of one result: those besides the test lengths of the task.

    Args:
        recipe: the recipe.
        result: its result.
    """
    lengths = {str(length) for length in find("task", recipe.task).test_lengths}
    if lengths or result.each is not None:
        return []
    return [name for name in result.metrics if name.rpartition("_")[2].isdecimal()]


def _part(name: str, result: Result, metric: str) -> Part:
    mean, deviation = result.mean(metric) if result.finished else (None, None)
    selected = None if result.selected is None else result.selected["metrics"][metric]
    return Part(name=name, selected=selected, mean=mean, deviation=deviation)
