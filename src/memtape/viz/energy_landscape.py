"""Energy landscape: the energy of a Hopfield network with two patterns over all its states, and paths downhill."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator

from memtape.viz.style import INK, INK_ON_PAPER, MUTED, PURPLE, SMALL, VERMILION, muted, paper_style

_POINTS = 300
"""Number of points of the grid along each axis."""


def energy_landscape(
    patterns: Float[np.ndarray, "two units"], paths: Sequence[Float[np.ndarray, "updates units"]]
) -> Figure:
    r"""Draw the energy of a Hopfield network that stores two patterns by Hebb's rule, and the paths of states.

    The energy depends on a state by its overlaps with the patterns alone, so that the plane of overlaps shows all states:

    $$E = 1 - \frac{n}{2} (m_1^2 + m_2^2), \qquad m_p = \frac{1}{n} x^p \cdot s$$

    They fill a parallelogram whose corners, the lowest points, are the patterns and their negatives.

    Args:
        patterns: the patterns, of entries 1 and -1.
        paths: the states of each path, from its start on.

    Raises:
        ValueError: there are not two patterns, they are equal or opposite, or a path has another number of units.
    """
    units = patterns.shape[-1]
    if patterns.ndim != 2 or len(patterns) != 2 or abs(patterns[0] @ patterns[1]) == units:
        raise ValueError(
            f"patterns have shape {patterns.shape}, but the plane of the landscape needs two patterns that are neither equal "
            "nor opposite; give two others"
        )
    for path in paths:
        if path.ndim != 2 or path.shape[1] != units:
            raise ValueError(
                f"a path has shape {path.shape}, but it must be (updates, {units}); record states of the network"
            )
    overlap = float(patterns[0] @ patterns[1]) / units
    corners = np.array([[1, overlap], [overlap, 1], [-1, -overlap], [-overlap, -1]])
    with paper_style():
        figure = Figure(figsize=(7.1, 3.3), layout="constrained")
        plane, falling = figure.subplots(1, 2, width_ratios=(1.25, 1))
        grid = np.linspace(-1.05, 1.05, _POINTS)
        first, second = np.meshgrid(grid, grid)
        lowest = 1 - units / 2 * (1 + overlap**2)
        energy = (1 - units / 2 * (first**2 + second**2)).clip(lowest)
        filled = plane.contourf(
            first, second, energy, levels=np.linspace(lowest, 1, 24), cmap=INK_ON_PAPER.reversed(), alpha=0.75
        )
        inside = Polygon(corners, closed=True, facecolor="none", edgecolor=MUTED, linewidth=0.7)
        plane.add_patch(inside)
        filled.set_clip_path(inside)
        bar = figure.colorbar(filled, ax=plane, pad=0.02, aspect=30, ticks=MaxNLocator(5))
        bar.set_label("energy", fontsize=SMALL, color=MUTED)
        bar.ax.tick_params(labelsize=SMALL)
        for path in paths:
            places = path @ patterns.T / units
            plane.plot(*places.T, color=VERMILION, linewidth=0.8, alpha=0.9)
            plane.plot(*places[0], marker="o", markersize=2.5, color=INK)
            falling.plot(1 - units / 2 * (places**2).sum(1), color=VERMILION, linewidth=0.8, alpha=0.9)
        for corner, name in zip(corners, ("pattern 1", "pattern 2", "negative of 1", "negative of 2"), strict=True):
            plane.plot(*corner, marker="D", markersize=3.5, color=PURPLE)
            out = np.sign(corner) * (np.abs(corner) == np.abs(corner).max())
            across, above = int(out[0]), int(out[1])
            text = plane.annotate(
                name,
                corner,
                6 * out,
                textcoords="offset points",
                ha="left" if across > 0 else "right" if across else "center",
                va="bottom" if above > 0 else "top" if above else "center",
            )
            muted(text)
        plane.set(xlim=(-1.9, 1.9), ylim=(-1.3, 1.3), aspect="equal")
        plane.set_xlabel("overlap with pattern 1")
        plane.set_ylabel("overlap with pattern 2")
        falling.set_xlabel("updated units")
        falling.set_ylabel("energy")
    return figure
