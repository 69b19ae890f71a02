"""Learning curve: the scores of a run over the training sequences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memtape.core.score import Score
from memtape.viz.metric_curves import Curve, curve_of, score_axis, sequences_axis
from memtape.viz.style import BLUE, GREEN, MUTED, SMALL, VERMILION, muted, paper_style


def learning_curve(
    records: Sequence[Mapping[str, Any]],
    scored: Sequence[Score],
    *,
    title: str = "",
    solved_step: int | None = None,
    chance: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the learning curve of a run: a panel for each score, training as a thin line, validation as a marked one.

    The y axes are logarithmic where less is better, unless all values are close together; if an exact zero occurs, they
    are linear near it, which is marked.

    Args:
        records: the lines of a run's metrics file; those of other kinds than "train" and "validation" are ignored.
        scored: the scores of the task.
        title: a line above the panels.
        solved_step: step at which the task was solved.
        chance: the chance level of each score by name; drawn as a dotted line.

    Raises:
        ValueError: there is no record, one lacks a score or has a negative one, or `solved_step` is outside the run.
    """
    curves = {kind: curve_of(records, kind, scored) for kind in ("train", "validation")}
    if not any(len(curve["sequences"]) for curve in curves.values()):
        raise ValueError(
            f"records contain {len(records)} lines, but none of kind 'train' or 'validation'; "
            "pass the lines of a metrics file with such records"
        )
    solved_at = None if solved_step is None else _sequences_at(solved_step, curves)
    with paper_style():
        figure = Figure(figsize=(7.1, 2.5), layout="constrained")
        panels: list[Axes] = list(figure.subplots(1, len(scored), sharex=True, squeeze=False)[0])
        for axes, score in zip(panels, scored, strict=True):
            level = (chance or {}).get(score.name)
            shown = [value for curve in curves.values() for value in curve[score.name]]
            axes.set_title(score_axis(axes, score, shown if level is None else [*shown, level]))
            _draw(axes, curves, score.name, level)
            sequences_axis(axes, max(max(curve["sequences"], default=0.0) for curve in curves.values()))
            if solved_at is not None:
                _mark_solved(axes, solved_at, f"solved at step {solved_step}")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), handlelength=1.6)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _draw(axes: Axes, curves: Mapping[str, Curve], metric: str, chance: float | None) -> None:
    train, validation = curves["train"], curves["validation"]
    if train["sequences"]:
        axes.plot(train["sequences"], train[metric], color=BLUE, linewidth=0.6, alpha=0.75, label="training")
    if validation["sequences"]:
        axes.plot(
            validation["sequences"],
            validation[metric],
            color=VERMILION,
            marker="o",
            markersize=2.8,
            markeredgecolor="white",
            markeredgewidth=0.4,
            label="validation",
            clip_on=False,
            zorder=3,
        )
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
        where = axes.get_yaxis_transform()
        note = axes.annotate("chance", (1, chance), (0, 2), xycoords=where, textcoords="offset points", ha="right")
        muted(note)


def _mark_solved(axes: Axes, at: float, text: str) -> None:
    axes.axvline(at, color=GREEN, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    # Late in the run, the text is left of the line to stay in the panel; the line of the chance level is above it.
    late = at > 0.6 * axes.get_xlim()[1]
    axes.annotate(
        text,
        (at, 0.86),
        (-3 if late else 3, 0),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        color=GREEN,
        fontsize=SMALL,
        horizontalalignment="right" if late else "left",
        verticalalignment="top",
    )


def _sequences_at(step: int, curves: Mapping[str, Curve]) -> float:
    pairs = {pair for curve in curves.values() for pair in zip(curve["step"], curve["sequences"], strict=True)}
    known = sorted(pairs | {(0.0, 0.0)})
    if not 0 <= step <= known[-1][0]:
        raise ValueError(
            f"solved_step is {step}, but the records end at step {known[-1][0]:g}; "
            "pass a step of this run, or None if it was not solved"
        )
    steps, sequences = zip(*known, strict=True)
    return float(np.interp(step, steps, sequences))
