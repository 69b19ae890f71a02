"""Graph figure: a graph, its target and predicted paths, and the edges that the read heads read."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke

from memtape.core.graph_picture import GraphPicture
from memtape.viz.edge_reads import ENDED, draw_edge_reads, edge_reads, edge_reads_height, edge_reads_width
from memtape.viz.style import DPI, GREEN, HAIRLINE, INK, MUTED, SMALL, VERMILION, muted, paper_style

_NARROWEST, _HEIGHT, _AROUND = 1100, 900, 70
"""Least width of the map of the graph in pixels, and the margin around its nodes."""

_EDGE, _TOP, _BELOW, _BETWEEN = 20, 50, 40, 90
"""Pixels of the outer margin, above the map (title), below it (legend), and between the map and the reads."""

_APART, _ROUNDS, _LETTER = 76, 80, 10
"""Least distance of two nodes in pixels, number of iterations to reach it, and pixels of a letter of their names."""

_BEND = 0.12
"""Curvature of an edge as a fraction of its length, so that an edge and its reverse are distinct."""


def graph_figure(
    picture: GraphPicture, sources: Float[np.ndarray, "time read_heads source"] | None = None, *, title: str = ""
) -> Figure:
    """Draw a graph, its target and predicted paths, and the edges that the read heads read.

    On the map, the edges of the target are numbered by their positions in the answer, and wrong predictions are dashed.
    Below, a column for each step of the answer shows the edges of the input that each head read; a frame marks the
    target.

    Args:
        picture: the graph, the steps of the input, the targets and the predictions.
        sources: the fraction that each read head read, at each step, of the writes of each step, from `read_sources`;
            None omits this part.
        title: a line above the graph.

    Raises:
        ValueError: sources and picture have different numbers of steps.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, figures 2 and 3.
    """
    steps = len(picture.steps)
    if sources is not None and (sources.ndim != 3 or sources.shape[0] != steps or sources.shape[2] != steps):
        raise ValueError(
            f"sources have shape {sources.shape}, but the picture has {steps} steps, and they must be ({steps}, read heads, "
            f"{steps}); record both from the same run over the same sequence"
        )
    reads = None if sources is None else edge_reads(picture, sources)
    below = 0 if reads is None else _BETWEEN + edge_reads_height(reads)
    across = max(_NARROWEST, 0 if reads is None else edge_reads_width(reads))
    width = across + 2 * _EDGE
    height = _EDGE + below + _BELOW + _HEIGHT + _TOP
    with paper_style():
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        axes = figure.add_axes((_EDGE / width, (_EDGE + below + _BELOW) / height, across / width, _HEIGHT / height))
        _draw_map(axes, picture, across)
        if reads is not None:
            draw_edge_reads(figure, reads, left=_EDGE, bottom=_EDGE)
        if title:
            figure.text(_EDGE / width, 1 - 12 / height, title, fontsize=9, va="top", ha="left")
    return figure


def _draw_map(axes: Axes, picture: GraphPicture, width: int) -> None:
    axes.set_xlim(0, width)
    axes.set_ylim(0, _HEIGHT)
    axes.set_axis_off()
    axes.set_label("Graph")
    places = _places(picture, width)
    asked, predicted = _walked(picture)
    for number, (source, _, target) in enumerate(picture.edges):
        if number not in asked and number not in predicted:
            _arrow(axes, places[source], places[target], HAIRLINE, 0.5, layer=1)
    for number, turns in predicted.items():
        source, _, target = picture.edges[number]
        _arrow(axes, places[source], places[target], VERMILION, 1.3, layer=3, dashed=True)
        _number(axes, (places[source], places[target]), turns, VERMILION, along=0.3)
    for number, turns in asked.items():
        source, _, target = picture.edges[number]
        _arrow(axes, places[source], places[target], GREEN, 1.6, layer=2)
        _number(axes, (places[source], places[target]), turns, GREEN)
    on_the_way = {node for number in asked for node in (picture.edges[number][0], picture.edges[number][2])}
    for node, ((x, y), name) in enumerate(zip(places, picture.nodes, strict=True)):
        axes.plot(x, y, "o", markersize=3.2, color=INK if node in on_the_way else MUTED, zorder=4)
        text = axes.annotate(name, (x, y), (0, 4), textcoords="offset points", ha="center", va="bottom", fontsize=SMALL)
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        text.set_color(INK if node in on_the_way else MUTED)
        text.set_zorder(6)
    _legend(axes, picture, bool(predicted))


def _places(picture: GraphPicture, width: int) -> Float[np.ndarray, "nodes 2"]:
    """Return the positions of nodes in pixels: over the full map, and far enough apart for their names."""
    size = np.array([width, _HEIGHT], dtype=float)
    given = np.array(picture.places, dtype=float).reshape(-1, 2)
    least, most = given.min(axis=0, initial=1.0), given.max(axis=0, initial=0.0)
    places = _AROUND + (given - least) / np.maximum(most - least, 1e-9) * (size - 2 * _AROUND)
    letters = np.array([len(name) for name in picture.nodes])
    around = np.maximum(_AROUND, np.stack([_LETTER * letters / 2, 0 * letters], axis=1))
    across = np.maximum(_APART, _LETTER * (letters[:, None] + letters[None, :]) / 2)
    for _ in range(_ROUNDS):
        apart = places[:, None] - places[None, :]
        distance = np.hypot(apart[..., 0] / across, apart[..., 1] / _APART)
        np.fill_diagonal(distance, np.inf)
        push = np.maximum(0, 1 / np.maximum(distance, 0.1) - 1) / 2
        places = np.clip(places + (push[..., None] * apart).sum(axis=1) / 2, around, size - around)
    return places


def _walked(picture: GraphPicture) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Return the target edges and the wrong predictions, with their steps in the answer."""
    numbers = {
        (picture.nodes[source], edge, picture.nodes[target]): number
        for number, (source, edge, target) in enumerate(picture.edges)
    }
    asked: dict[int, list[str]] = {}
    predicted: dict[int, list[str]] = {}
    for answer, path in enumerate(picture.paths, start=1):
        for turn, number in enumerate(path, start=1):
            asked.setdefault(number, []).append(str(turn) if len(picture.paths) == 1 else f"{answer}.{turn}")
    turn = 0
    for right, own in zip(picture.answers, picture.predicted, strict=True):
        turn += right not in (None, ENDED)
        if own is not None and own != right and own in numbers:
            predicted.setdefault(numbers[own], []).append(str(turn))
    return asked, predicted


def _arrow(
    axes: Axes, begin: np.ndarray, end: np.ndarray, colour: str, linewidth: float, *, layer: int, dashed: bool = False
) -> None:
    axes.add_patch(
        FancyArrowPatch(
            tuple(begin),
            tuple(end),
            arrowstyle="-|>",
            mutation_scale=4 + 2 * linewidth,
            connectionstyle=f"arc3,rad={_BEND}",
            shrinkA=2.5,
            shrinkB=2.5,
            color=colour,
            linewidth=linewidth,
            linestyle=(0, (2, 1)) if dashed else "solid",
            zorder=layer,
        )
    )


def _number(
    axes: Axes, ends: tuple[np.ndarray, np.ndarray], turns: list[str], colour: str, *, along: float = 0.5
) -> None:
    """Write the steps of the answer on an edge."""
    begin, end = ends
    ahead = end - begin
    aside = 2 * along * (1 - along) * _BEND * np.array([ahead[1], -ahead[0]])
    x, y = begin + along * ahead + aside
    text = axes.text(x, y, ", ".join(turns), color=colour, fontsize=SMALL + 1, ha="center", va="center", zorder=5)
    text.set_fontweight("bold")
    text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def _legend(axes: Axes, picture: GraphPicture, others: bool) -> None:
    lines = [Line2D([], [], color=GREEN, linewidth=1.6, label="asked")]
    if others:
        lines.append(Line2D([], [], color=VERMILION, linewidth=1.3, linestyle=(0, (2, 1)), label="wrong prediction"))
    axes.legend(handles=lines, loc="upper left", bbox_to_anchor=(0, 0), ncols=2, borderaxespad=0.2, handlelength=2)
    pairs = [(right, own) for right, own in zip(picture.answers, picture.predicted, strict=True) if right is not None]
    if any(own is not None for _, own in pairs):
        right = sum(own == right for right, own in pairs)
        remark = muted(
            axes.text(1, -0.012, f"{right} of {len(pairs)} right", ha="right", va="top", transform=axes.transAxes)
        )
        if right < len(pairs):
            remark.set_color(VERMILION)
