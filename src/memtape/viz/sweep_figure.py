"""Sweep figure: the learning curves of all seeds of a configuration, and their median."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from memtape.core.score import Score
from memtape.viz.metric_curves import Curve, curve_of, metric_panels
from memtape.viz.style import BLUE, HAIRLINE, VERMILION, paper_style

OTHER = "median of another configuration"

Records = Sequence[Mapping[str, Any]]


def sweep_figure(
    seeds: Sequence[Records], scored: Sequence[Score], *, others: Sequence[Sequence[Records]] = (), title: str = ""
) -> Figure:
    """Draw the validations of every seed as thin lines, and their median as a thick one, over training sequences.

    The median at a point is over the latest validation of all seeds; a finished seed keeps its last value.

    Args:
        seeds: the metrics of each seed.
        scored: the scores of the task.
        others: the metrics of other configurations, whose medians are drawn in grey.
        title: a line above the panels.

    Raises:
        ValueError: no seed has a validation, or a record lacks a score.
    """
    curves = _validations(seeds, scored)
    if not curves:
        raise ValueError(
            f"none of the {len(seeds)} seeds has a validation, but there must be one to draw; train for longer"
        )
    middle = _median(curves, scored)
    rivals = [_median(validated, scored) for other in others if (validated := _validations(other, scored))]
    with paper_style():
        figure = Figure(figsize=(7.1, 2.5), layout="constrained")
        for metric, axes in metric_panels(figure, [*curves, middle, *rivals], scored).items():
            for rival in rivals:
                axes.plot(
                    rival["sequences"],
                    rival[metric],
                    color=HAIRLINE,
                    linewidth=0.6,
                    label=OTHER,
                )
            axes.plot(middle["sequences"], middle[metric], color=VERMILION, linewidth=2.4, label="median")
            for curve in curves:  # above their median, which would hide the middle seed
                axes.plot(curve["sequences"], curve[metric], color=BLUE, linewidth=0.6, alpha=0.75, label="one seed")
        shown = {str(line.get_label()): line for line in figure.axes[0].lines}
        figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=len(shown), handlelength=1.6)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _validations(seeds: Sequence[Records], scored: Sequence[Score]) -> list[Curve]:
    curves = [curve_of(records, "validation", scored) for records in seeds]
    return [curve for curve in curves if curve["sequences"]]


def _median(curves: Sequence[Curve], scored: Sequence[Score]) -> Curve:
    """Return the median of curves at every point of one of them from which on all have a value."""
    begun = max(curve["sequences"][0] for curve in curves)
    places = sorted({place for curve in curves for place in curve["sequences"] if place >= begun})
    return {
        "sequences": places,
        **{score.name: [median(_at(curve, score, place) for curve in curves) for place in places] for score in scored},
    }


def _at(curve: Curve, score: Score, place: float) -> float:
    """Return the latest value at a point; NaN counts as the worst."""
    value = curve[score.name][bisect_right(curve["sequences"], place) - 1]
    return score.cost(math.inf) if math.isnan(value) else value
