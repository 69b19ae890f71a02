"""Metric curves: the metrics of a run as columns of numbers, and the two panels that they are drawn in."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from memtape.viz.log_with_zero import log_axis_with_zero

METRICS = {"cost_bits": "cost, bits per sequence", "wrong_bits": "wrong bits per sequence"}

Curve = Mapping[str, list[float]]
"""Columns "step", "sequences" and every metric."""


def curve_of(records: Sequence[Mapping[str, Any]], kind: str) -> Curve:
    """Return the records of one kind as columns; what is no number is a gap.

    Args:
        records: the lines of a run's metrics file; those of another kind are passed over.
        kind: "train" or "validation".

    Raises:
        ValueError: a record lacks a metric.
    """
    columns: dict[str, list[float]] = {"step": [], "sequences": [], **{metric: [] for metric in METRICS}}
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


def metric_panels(figure: Figure, curves: Sequence[Curve]) -> dict[str, Axes]:
    """Make a panel for each metric, with axes that fit all curves, and return them by metric.

    Args:
        figure: the figure to fill.
        curves: everything that will be drawn.

    Raises:
        ValueError: a metric is negative.
    """
    panels = dict(zip(METRICS, figure.subplots(1, len(METRICS), sharex=True), strict=True))
    for metric, axes in panels.items():
        note = log_axis_with_zero(axes, [value for curve in curves for value in curve[metric]])
        axes.set_title(f"{METRICS[metric]} ({note})" if note else METRICS[metric])
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        sequences_axis(axes, max(place for curve in curves for place in curve["sequences"]))
    return panels


def sequences_axis(axes: Axes, most: float) -> None:
    """Make the x axis count sequences, in thousands or millions where that is shorter."""
    scales = ((1e6, ", millions"), (1e3, ", thousands"), (1.0, ""))
    unit, name = next(scale for scale in scales if most >= 10 * scale[0] or scale[0] == 1)
    axes.set_xlim(0, max(most, 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:g}"))
    axes.set_xlabel(f"sequences seen{name}")
