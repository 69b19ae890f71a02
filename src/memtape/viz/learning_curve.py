"""Learning curve: cost and wrong bits against the sequences that a run has seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memtape.viz.log_with_zero import log_axis_with_zero
from memtape.viz.metric_curves import METRICS, Curve, curve_of, sequences_axis
from memtape.viz.style import BLUE, GREEN, MUTED, SMALL, VERMILION, muted, paper_style


def learning_curve(
    records: Sequence[Mapping[str, Any]],
    *,
    title: str = "",
    solved_step: int | None = None,
    chance_bits: float | None = None,
) -> Figure:
    """Draw how a run learned: two panels, cost and wrong bits, training as a thin line, validation as a marked one.

    The y axes are logarithmic; if an exact zero occurs they are linear near it, which is marked.

    Args:
        records: the lines of a run's metrics file; those of another kind than "train" or "validation" are passed over.
        title: a line above the panels.
        solved_step: training step at which the run counts as having solved its task.
        chance_bits: number of bits in an answer, which a guess costs in full and gets half wrong.

    Raises:
        ValueError: no record to draw, one lacks a metric or has a negative one, or `solved_step` is outside the run.
    """
    curves = {kind: curve_of(records, kind) for kind in ("train", "validation")}
    if not any(len(curve["sequences"]) for curve in curves.values()):
        raise ValueError(
            f"records hold {len(records)} lines, but none of kind 'train' or 'validation'; "
            "pass the lines of a metrics file of a run that has begun"
        )
    solved_at = None if solved_step is None else _sequences_at(solved_step, curves)
    with paper_style():
        figure = Figure(figsize=(7.1, 2.5), layout="constrained")
        panels: list[Axes] = list(figure.subplots(1, 2, sharex=True))
        for axes, (metric, label) in zip(panels, METRICS.items(), strict=True):
            chance = None if chance_bits is None else chance_bits * (1.0 if metric == "cost_bits" else 0.5)
            shown = [value for curve in curves.values() for value in curve[metric]]
            note = log_axis_with_zero(axes, shown if chance is None else [*shown, chance])
            axes.set_title(f"{label} ({note})" if note else label)
            _draw(axes, curves, metric, chance)
            sequences_axis(axes, max(max(curve["sequences"], default=0.0) for curve in curves.values()))
            if solved_at is not None:
                _mark_solved(axes, solved_at, f"solved at step {solved_step}")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), handlelength=1.6)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _draw(axes: Axes, curves: Mapping[str, Curve], metric: str, chance: float | None) -> None:
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
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
        note = axes.annotate("guessing", (1, chance), (0, 2), xycoords=where, textcoords="offset points", ha="right")
        muted(note)


def _mark_solved(axes: Axes, at: float, text: str) -> None:
    axes.axvline(at, color=GREEN, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    # Late in the run the text stands left of the line, or it would leave the panel; the line of guessing is above it.
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
