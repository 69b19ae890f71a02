"""Bench figure: the cost of a step over batch, time and slots, for each backend."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from memtape.viz.style import BLUE, GREEN, INK, PURPLE, VERMILION, muted, paper_style

SIZES = {"batch": "sequences in the batch", "time": "steps of time", "slots": "slots of the memory"}
"""Sizes that may vary, and their labels; slots come last, since not every model has them."""
COLOURS = {"reference": INK, "cpu": BLUE, "compile": VERMILION, "scan": PURPLE, "triton": GREEN}
MOST_TICKS = 7

Rows = Sequence[Mapping[str, Any]]


def bench_figure(rows: Rows, *, title: str = "") -> Figure:
    """Draw the cost of a step over each size that varies, both axes logarithmic, one line for each backend.

    Each model and mode has a row of panels. In a panel one size varies and the others have the first measured value; a
    pale band behind a line is its spread.

    Args:
        rows: the rows of `memtape bench`.
        title: a line above the panels.

    Raises:
        ValueError: no size has two values, so there is no line to draw.
    """
    kinds = {kind: [row for row in rows if _kind(row) == kind] for kind in dict.fromkeys(map(_kind, rows))}
    panels = {
        (kind, size): _slice(of_kind, size)
        for kind, of_kind in kinds.items()
        for size in SIZES
        if len({row[size] for row in of_kind}) > 1
    }
    sizes = [size for size in SIZES if any(size == drawn for _, drawn in panels)]
    lines = [kind for kind in kinds if any(kind == drawn for drawn, _ in panels)]
    if not panels:
        raise ValueError(
            f"the {len(rows)} rows have no size with two values, but a line needs two points; measure more than one number of "
            f"{', '.join(SIZES)}"
        )
    with paper_style():
        figure = Figure(figsize=(0.6 + 2.2 * max(len(sizes), 1.5), 0.7 + 1.75 * len(lines)), layout="constrained")
        grid = figure.subplots(len(lines), len(sizes), squeeze=False, sharey="row", sharex="col")
        for line, kind in enumerate(lines):
            for column, size in enumerate(sizes):
                axes = grid[line, column]
                if (kind, size) in panels:
                    _draw(axes, panels[kind, size], size)
                else:
                    axes.set_axis_off()
            model, mode = kind
            grid[line, 0].set_ylabel(f"{model} {mode}, ms per step")
        for column, size in enumerate(sizes):
            last = max(line for line, kind in enumerate(lines) if (kind, size) in panels)
            grid[last, column].set_xlabel(SIZES[size])
            grid[last, column].tick_params(labelbottom=True)
        shown = {line.get_label(): line for axes in grid.flat for line in axes.lines}
        figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=len(shown), handlelength=1.6)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _kind(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["model"], row["mode"]


def _slice(rows: Rows, size: str) -> Rows:
    """Return the rows in which all other sizes equal those of the first row."""
    others = [other for other in SIZES if other != size]
    return [row for row in rows if all(row[other] == rows[0][other] for other in others)]


def _draw(axes: Axes, rows: Rows, size: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    for backend in dict.fromkeys(row["backend"] for row in rows):
        points = sorted((row[size], row["ms_per_step"], row["spread"]) for row in rows if row["backend"] == backend)
        places, costs, spreads = zip(*points, strict=True)
        colour = COLOURS[backend]
        half = [cost * spread / 2 for cost, spread in zip(costs, spreads, strict=True)]
        low = [cost - wide for cost, wide in zip(costs, half, strict=True)]
        high = [cost + wide for cost, wide in zip(costs, half, strict=True)]
        axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(places, costs, color=colour, marker="o", markersize=3, label=backend, clip_on=False)
    held = ", ".join(f"{other} {rows[0][other]}" for other in SIZES if other != size and rows[0][other] is not None)
    muted(axes.set_title(held))
    values = sorted({row[size] for row in rows})
    axes.xaxis.set_major_locator(FixedLocator(values, nbins=MOST_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
