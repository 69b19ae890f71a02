"""Edge reads: the edges of a graph that the read heads read in the steps of the answer."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from memtape.core.graph_picture import GraphPicture
from memtape.viz.style import DPI, GREEN, INK_ON_PAPER, MUTED, SMALL, VERMILION, muted

LISTED_FROM = 0.1
"""An edge is listed if a head reads more than this fraction from it, or if it is part of the target."""

ENDED = ("end", "", "")
"""The name of the target at the end of an answer."""

_MOST_EDGES = 24
_ELSEWHERE = "elsewhere"

_ROW, _STEP, _GAP, _BAR = 26, 40, 30, 110
"""Pixels of a row, of a step of the answer, between two heads, and beside them for the colour bar."""

_LETTER = 11
"""Pixels of a letter of the names, about the largest width."""

_HEAD, _AXIS = 34, 70
"""Pixels above the rows for the names of heads, and below them for the steps."""


@dataclass(frozen=True, eq=False)
class EdgeReads:
    """The fraction that each head read of each listed edge in each step of the answer."""

    names: tuple[str, ...]
    """Labels of the rows; the last one is the sum of edges that are not listed."""
    steps: tuple[str, ...]
    """Labels of the columns."""
    weights: Float[np.ndarray, "read_heads rows steps"]
    right: tuple[tuple[int, ...], ...]
    """The rows of the target of each step, or of the path that implies it."""
    wrong: tuple[bool, ...]
    """Whether the prediction differs from the target."""


def edge_reads(picture: GraphPicture, sources: Float[np.ndarray, "time read_heads source"]) -> EdgeReads:
    """Return the fraction that each read head read of each edge, in the steps of the answer.

    The edges of the answer come first, in their order, and then the others that a head read, the most read first.

    Args:
        picture: the graph, its paths and the predictions.
        sources: the fraction that each read head read, at each step, of the writes of each step.
    """
    shown = np.zeros((len(picture.shown), len(picture.edges)))
    for step, number in enumerate(picture.shown):
        if number is not None:
            shown[step, number] = 1
    answering = [step for step, answer in enumerate(picture.answers) if answer is not None]
    at_edges = sources[answering] @ shown
    numbers = {_triple(picture, edge): number for number, edge in enumerate(picture.edges)}
    steps: list[str] = []
    asked: list[tuple[int, ...]] = []
    for step in answering:
        answer = picture.answers[step] or ENDED
        turn = 1 + sum(name != ENDED[0] for name in steps)
        steps.append(ENDED[0] if answer == ENDED else str(turn))
        if answer in numbers:
            asked.append((numbers[answer],))
        else:
            asked.append(picture.paths[turn - 1] if answer != ENDED and turn <= len(picture.paths) else ())
    first = list(dict.fromkeys(number for path in asked for number in path))
    most = at_edges.max(axis=(0, 1), initial=0.0)
    others = [
        int(number) for number in np.argsort(-most, kind="stable") if most[number] > LISTED_FROM and number not in first
    ]
    listed = (first + others)[: max(_MOST_EDGES, len(first))]
    weights = at_edges[:, :, listed]
    rest = sources[answering].sum(axis=2, keepdims=True) - weights.sum(axis=2, keepdims=True)
    return EdgeReads(
        names=(*(_name(_triple(picture, picture.edges[number])) for number in listed), _ELSEWHERE),
        weights=np.concatenate([weights, rest], axis=2).transpose(1, 2, 0),
        steps=tuple(steps),
        right=tuple(tuple(listed.index(number) for number in path) for path in asked),
        wrong=tuple(picture.predicted[step] not in (None, picture.answers[step]) for step in answering),
    )


def edge_reads_height(reads: EdgeReads) -> int:
    """Return the height of the drawing in pixels.

    Args:
        reads: the reads to draw.
    """
    return _HEAD + _ROW * len(reads.names) + _AXIS


def edge_reads_width(reads: EdgeReads) -> int:
    """Return the width of the drawing in pixels.

    Args:
        reads: the reads to draw.
    """
    heads, _, steps = reads.weights.shape
    return _names_width(reads) + heads * (steps * _STEP + _GAP) + _BAR


def draw_edge_reads(figure: Figure, reads: EdgeReads, *, left: int, bottom: int) -> None:
    """Draw the edges that the heads read, a panel for each head; call this inside the context of the style.

    Args:
        figure: the figure to draw in.
        reads: the reads to draw.
        left: pixels from the left edge of the figure.
        bottom: pixels from its bottom edge.
    """
    width, height = figure.get_size_inches() * DPI
    heads, rows, steps = reads.weights.shape

    def add(begin: int, across: int) -> Axes:
        return figure.add_axes((begin / width, (bottom + _AXIS) / height, across / width, rows * _ROW / height))

    begin = left + _names_width(reads)
    for head, weights in enumerate(reads.weights):
        axes = add(begin, steps * _STEP)
        image = axes.imshow(weights, aspect="auto", interpolation="none", cmap=INK_ON_PAPER, norm=Normalize(0, 1))
        axes.set_label(f"Read head {head + 1}")
        axes.set_title(f"read head {head + 1}" if heads > 1 else "read head", fontsize=SMALL, color=MUTED, pad=3)
        axes.set_xticks(range(steps), reads.steps, fontsize=SMALL)
        axes.set_yticks(range(rows), reads.names if head == 0 else [""] * rows, fontsize=SMALL)
        axes.tick_params(length=0)
        for label, wrong in zip(axes.get_xticklabels(), reads.wrong, strict=True):
            label.set_color(VERMILION if wrong else GREEN)
        frames = [
            Rectangle((step - 0.5, row - 0.5), 1, 1) for step, rows_of in enumerate(reads.right) for row in rows_of
        ]
        axes.add_collection(PatchCollection(frames, facecolor="none", edgecolor=GREEN, linewidth=0.9))
        axes.set_xlabel("step of the answer", fontsize=SMALL, color=MUTED)
        begin += steps * _STEP + _GAP
    if heads:
        muted(axes.yaxis.get_ticklabels()[-1])
        bar = Colorbar(add(begin - _GAP + 16, 12), image, ticks=[0, 1])
        bar.ax.tick_params(length=1.5, pad=1.5, labelsize=SMALL)
        bar.outline.set_linewidth(0.5)
        bar.set_label("share of the read", fontsize=SMALL, color=MUTED)


def _names_width(reads: EdgeReads) -> int:
    return 20 + _LETTER * max(map(len, reads.names))


def _triple(picture: GraphPicture, edge: tuple[int, str, int]) -> tuple[str, str, str]:
    source, name, target = edge
    return picture.nodes[source], name, picture.nodes[target]


def _name(triple: tuple[str, str, str]) -> str:
    source, name, target = triple
    return f"{source} \N{EN DASH}{name}\N{RIGHTWARDS ARROW} {target}"
