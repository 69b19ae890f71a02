"""Score by length: how a score changes with the length of the sequences."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memtape.core.score import Score
from memtape.viz.metric_curves import score_axis
from memtape.viz.style import BLUE, MUTED, muted, paper_style

_LETTER_WIDTH = 4.5
"""Width in points of a digit above a marker; a number that would overlap its neighbour is omitted."""


def score_by_length(
    results: Sequence[Mapping[str, Any]],
    score: Score,
    *,
    trained: tuple[int, int] = (1, 20),
    chance: Mapping[int, float] | None = None,
    title: str = "",
) -> Figure:
    """Draw a score over the tested lengths, with all values as numbers, including zeros.

    Args:
        results: one mapping for each length, with "length" and the score.
        score: the score to draw.
        trained: shortest and longest length of training; they are shaded.
        chance: the chance level by length; drawn as a dotted line.
        title: a line above the panel.

    Raises:
        ValueError: there is no result, one lacks a value or is negative, or the trained range is empty.
    """
    points = _points(results, score)
    shortest, longest = trained
    if shortest > longest:
        raise ValueError(
            f"trained is {shortest}..{longest}, but the shortest length must come first; give a range that is not empty"
        )
    levels = sorted((chance or {}).items())
    with paper_style():
        figure = Figure(figsize=(min(7.1, max(3.5, 1.0 + 0.3 * len(points))), 2.5), layout="constrained")
        axes = figure.subplots()
        shown = score_axis(axes, score, [value for _, value in points] + [value for _, value in levels])
        axes.axvspan(shortest - 0.5, longest + 0.5, color=BLUE, alpha=0.09, linewidth=0, zorder=0)
        where = axes.get_xaxis_transform()
        name = f"trained on {shortest}" + (f"\N{EN DASH}{longest}" if longest > shortest else "")
        shade = axes.annotate(name, (shortest - 0.5, 1), (0, 2), xycoords=where, textcoords="offset points")
        muted(shade).set_color(BLUE)
        if levels:
            lengths, values = zip(*levels, strict=True)
            axes.plot(lengths, values, color=MUTED, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1, label="chance")
            muted(
                axes.annotate(
                    "chance", (lengths[-1], values[-1]), (0, 3), textcoords="offset points", ha="right", va="bottom"
                )
            )
        axes.set_ylabel(shown.replace(" (", "\n("))
        _draw(axes, points, max(longest, points[-1][0], levels[-1][0] if levels else 0))
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _points(results: Sequence[Mapping[str, Any]], score: Score) -> list[tuple[int, float]]:
    if not results:
        raise ValueError("results are empty, but the figure needs at least one length; evaluate one or more")
    for number, result in enumerate(results):
        for name in ("length", score.name):
            if result.get(name) is None:
                raise ValueError(
                    f"result {number} has no {name!r}, but each needs 'length' and {score.name!r}; evaluate it again"
                )
    return sorted((int(result["length"]), float(result[score.name])) for result in results)


def _draw(axes: Axes, points: list[tuple[int, float]], longest: int) -> None:
    lengths, values = zip(*points, strict=True)
    axes.vlines(lengths, 0, values, color=BLUE, linewidth=1.2)
    axes.plot(lengths, values, color=BLUE, linestyle="none", marker="o", markersize=4, clip_on=False)
    axes.set_xlim(0, 1.04 * longest)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("length of the sequences")
    width = 72 * (axes.get_figure(root=True).get_figwidth() - 0.6) / (1.04 * longest)  # type: ignore[union-attr]
    free_from = -math.inf
    for length, value in points:
        text = f"{value:.3g}"
        half = _LETTER_WIDTH * len(text) / 2
        if length * width - half >= free_from:
            axes.annotate(text, (length, value), (0, 4), textcoords="offset points", ha="center", fontsize=7)
            free_from = length * width + half + _LETTER_WIDTH / 2
