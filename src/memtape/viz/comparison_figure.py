"""Comparison figure: the learning curves of several runs in the same panels."""

from collections.abc import Mapping, Sequence
from itertools import cycle, product
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from memtape.core.score import Score
from memtape.viz.metric_curves import Curve, curve_of, metric_panels
from memtape.viz.style import BLUE, GREEN, INK, VERMILION, paper_style

STROKES = tuple(product(("-", (0, (4, 1.5)), (0, (1, 1.2))), (BLUE, VERMILION, GREEN, INK)))
"""Dash and colour of each run; they repeat after the last."""
EDGE: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.4}


def comparison_figure(
    runs: Mapping[str, Sequence[Mapping[str, Any]]], scored: Sequence[Score], *, title: str = ""
) -> Figure:
    """Draw the learning curves of runs over training sequences: validations as marked lines, training as pale ones.

    Args:
        runs: the metrics of each run, by its name in the legend.
        scored: the scores that they have in common.
        title: a line above the panels.

    Raises:
        ValueError: no run has a record to draw, or a record lacks a score.
    """
    curves = {
        name: {kind: curve_of(records, kind, scored) for kind in ("train", "validation")}
        for name, records in runs.items()
    }
    drawn = [curve for kinds in curves.values() for curve in kinds.values() if curve["sequences"]]
    if not drawn:
        raise ValueError(
            f"none of the {len(runs)} runs has a record of training or validation; train for longer and compare then"
        )
    with paper_style():
        columns = 2 if max(map(len, runs)) < 45 else 1  # a longer name takes the whole width
        figure = Figure(figsize=(7.1, 2.4 + 0.16 * (len(runs) // columns + 1)), layout="constrained")
        panels = metric_panels(figure, drawn, scored)
        named = []
        for (name, kinds), (dash, colour) in zip(curves.items(), cycle(STROKES), strict=False):
            pale: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": 0.6, "alpha": 0.4}
            marked: dict[str, Any] = {"color": colour, "linestyle": dash, "marker": "o", "markersize": 2.8}
            for metric, axes in panels.items():
                _draw(axes, kinds["train"], metric, **pale)
                _draw(axes, kinds["validation"], metric, label=name, clip_on=False, zorder=3, **EDGE, **marked)
            named.append((_drawable(name), Line2D([], [], **EDGE, **marked)))
        if any(kinds["train"]["sequences"] for kinds in curves.values()):
            named.append(("the same in training", Line2D([], [], color=INK, linewidth=0.6, alpha=0.4)))
        place: dict[str, Any] = {"loc": "outside lower center", "ncols": columns, "handlelength": 2.4}
        legend = figure.legend([line for _, line in named], ["run"] * len(named), **place)
        for text, (shown, _) in zip(legend.get_texts(), named, strict=True):
            text.set_text(shown)  # a legend leaves out labels that start with "_"
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _drawable(name: str) -> str:
    """Return a name without the characters that a font or SVG cannot have."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _draw(axes: Axes, curve: Curve, metric: str, **look: Any) -> None:
    if curve["sequences"]:
        axes.plot(curve["sequences"], curve[metric], **look)
