"""Score curve figure: a score at each place of a sequence, such as at each presentation of a class."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from memtape.core.score_curve import ScoreCurve
from memtape.viz.metric_curves import score_axis
from memtape.viz.style import BLUE, MUTED, muted, paper_style


def score_curve_figure(curve: ScoreCurve) -> Figure:
    """Draw a score over its places, with all values as numbers, and the chance level as a dotted line.

    Args:
        curve: the score at each place.

    Raises:
        ValueError: the curve has no place, or not one value for each.
    """
    if not curve.places or len(curve.places) != len(curve.values):
        raise ValueError(
            f"the curve has {len(curve.places)} places and {len(curve.values)} values, but needs one value for each place, "
            "and at least one; give them"
        )
    levels = [] if curve.chance is None else [curve.chance]
    with paper_style():
        figure = Figure(figsize=(min(7.1, max(3.5, 1.0 + 0.35 * len(curve.places))), 2.5), layout="constrained")
        axes = figure.subplots()
        axes.set_ylabel(score_axis(axes, curve.score, [*curve.values, *levels]))
        axes.plot(curve.places, curve.values, color=BLUE, marker="o", markersize=4, clip_on=False)
        for place, value in zip(curve.places, curve.values, strict=True):
            axes.annotate(f"{value:.3g}", (place, value), (0, 5), textcoords="offset points", ha="center", fontsize=7)
        for level in levels:
            axes.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1, label="chance")
            muted(axes.annotate("chance", (curve.places[-1], level), (0, 3), textcoords="offset points", ha="right"))
        if curve.score.higher_is_better:
            axes.set_ylim(0, max(1.0, *curve.values))
        axes.set_xlabel(curve.axis)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True))
    return figure
