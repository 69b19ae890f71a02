"""Metric curves: the metrics of a run as columns of numbers, and the panels for them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from memtape.core.score import Score
from memtape.viz.log_with_zero import log_axis_with_zero

Curve = Mapping[str, list[float]]
"""Columns "step", "sequences" and each score."""


def curve_of(records: Sequence[Mapping[str, Any]], kind: str, scored: Sequence[Score]) -> Curve:
    """Return the records of one kind as columns; a value that is not a number is NaN.

    Args:
        records: the lines of a run's metrics file; those of other kinds are ignored.
        kind: "train" or "validation".
        scored: the scores of the task.

    Raises:
        ValueError: a record lacks a score.
    """
    columns: dict[str, list[float]] = {"step": [], "sequences": [], **{score.name: [] for score in scored}}
    for number, record in enumerate(records):
        if record.get("kind") != kind:
            continue
        for name, column in columns.items():
            if name not in record:
                raise ValueError(
                    f"record {number} of kind {kind!r} has no {name!r}, but the learning curve needs "
                    f"{', '.join(columns)}; record them all"
                )
            value = record[name]
            column.append(math.nan if value is None else float(value))
    return columns


def metric_panels(figure: Figure, curves: Sequence[Curve], scored: Sequence[Score]) -> dict[str, Axes]:
    """Add a panel for each score, with axes that fit all curves, and return the panels by score.

    Args:
        figure: the figure to fill.
        curves: all curves to draw.
        scored: the scores.

    Raises:
        ValueError: a cost or an error is negative.
    """
    panels = {}
    for score, axes in zip(scored, figure.subplots(1, len(scored), sharex=True, squeeze=False)[0], strict=True):
        axes.set_title(score_axis(axes, score, [value for curve in curves for value in curve[score.name]]))
        sequences_axis(axes, max(place for curve in curves for place in curve["sequences"]))
        panels[score.name] = axes
    return panels


def score_axis(axes: Axes, score: Score, values: Sequence[float]) -> str:
    """Set an axis that fits values, and return its label.

    It is logarithmic for costs and errors, linear where more is better or a value can be negative.

    Raises:
        ValueError: a cost or an error is negative.
    """
    linear = score.higher_is_better or score.can_be_negative
    note = "" if linear else log_axis_with_zero(axes, values)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return f"{score.label} ({note})" if note else score.label


def sequences_axis(axes: Axes, most: float) -> None:
    """Label the x axis with sequences, in thousands or millions if that is shorter."""
    scales = ((1e6, ", millions"), (1e3, ", thousands"), (1.0, ""))
    unit, name = next(scale for scale in scales if most >= 10 * scale[0] or scale[0] == 1)
    axes.set_xlim(0, max(most, 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:g}"))
    axes.set_xlabel(f"training sequences{name}")
