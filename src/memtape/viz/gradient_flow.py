"""Gradient flow figure: the norm of the gradient of a loss at each earlier step, for several networks."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from memtape.viz.comparison_figure import STROKES
from memtape.viz.style import paper_style

MOST_TICKS = 8


def gradient_flow_figure(norms: Mapping[str, Any], *, title: str = "") -> Figure:
    """Draw the norm of the gradient with respect to the state of each step, on a logarithmic axis.

    A network has a line, the median over its rows, in a pale band from the lower to the upper quartile. A row counts up
    to its own end. Gradients of exactly 0 are not drawn, since the axis is logarithmic.

    Args:
        norms: for each network, by its name in the figure, an array of shape (rows, time), NaN beyond a row's length,
            as returned by `memtape.training.gradient_flow.gradient_norms`.
        title: a line above the panel.

    Raises:
        ValueError: there is no network, a shape is not (rows, time), a norm is negative, or a network has no gradient
            above 0.
    """
    if not norms:
        raise ValueError("norms is empty, but a figure needs at least one; give the norms of one or more")
    flows = {name: _quartiles(name, np.asarray(values, dtype=float)) for name, values in norms.items()}
    with paper_style():
        figure = Figure(figsize=(4.4, 2.8), layout="constrained")
        axes = figure.subplots()
        axes.set_yscale("log")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        for (name, (low, middle, high)), (dash, colour) in zip(flows.items(), cycle(STROKES), strict=False):
            steps = np.arange(1, len(middle) + 1)
            axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(steps, middle, color=colour, linestyle=dash, label=name)
        _decades(axes, [middle for _, middle, _ in flows.values()])
        axes.set_xlim(1, max(2, *(len(middle) for _, middle, _ in flows.values())))
        axes.set_xlabel("step")
        axes.set_ylabel("norm of the gradient of the state")
        figure.legend(loc="outside lower center", ncols=min(len(flows), 2), handlelength=2.4)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _quartiles(name: str, norms: Any) -> Any:
    """Return the lower quartile, the median and the upper quartile of each step, NaN where none is above 0."""
    if norms.ndim != 2 or 0 in norms.shape:
        raise ValueError(
            f"the norms of {name!r} have shape {norms.shape}, but they must be (rows, time) with at least one of each; "
            "give one norm for each row and step"
        )
    if (norms < 0).any():
        raise ValueError(
            f"a norm of {name!r} is {np.nanmin(norms)}, but a norm is at least 0; check how it was computed"
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)  # a step that no row reaches
        quartiles = np.nanquantile(norms, (0.25, 0.5, 0.75), axis=0)
    quartiles[quartiles == 0] = np.nan
    if not np.isfinite(quartiles[1]).any():
        raise ValueError(
            f"the median gradient of {name!r} is 0 at every step, which a logarithmic axis cannot show; "
            "check that the loss depends on the outputs"
        )
    return quartiles


def _decades(axes: Axes, lines: Sequence[Any]) -> None:
    """Set the limits to full decades, with a tick at each or at every n-th of them."""
    found = np.concatenate(lines)
    found = found[np.isfinite(found)]
    lowest, highest = np.floor(np.log10(found.min()) + 1e-9), np.ceil(np.log10(found.max()) - 1e-9)
    axes.set_ylim(10.0**lowest, 10.0 ** max(highest, lowest + 1))
    axes.yaxis.set_major_locator(LogLocator(numticks=MOST_TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
