"""State graph: an automaton drawn as circles for its states and arrows for its transitions."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path

from memtape.automata.definitions.dfa import DFA
from memtape.viz.style import DPI, INK, SMALL, paper_style

_RADIUS, _GAP, _AROUND, _TITLE = 36, 210, 130, 50
"""Pixels: radius of a state, distance of neighbours, margin around the states, and height of a title."""

_BENDS = (0.0, 0.2, -0.2, 0.35, -0.35, 0.5, -0.5, 0.7, -0.7)
"""Curvatures of an arrow as fractions of its length, the preferred one first."""

_DIRECTIONS = np.pi / 2 + np.linspace(0, 2 * np.pi, 16, endpoint=False)
"""Directions in which the loop of a state may point, the preferred one first."""

_FROM_LEFT = np.array([-1.0, 0.0])
"""Direction from which the arrow from nowhere leads to the start."""

_BESIDE = np.pi / 7
"""Half of the angle between the two ends of a loop."""


_ALONG = np.linspace(0, 1, 101)[:, None]
"""The points of a curve, as fractions of its way."""


def state_graph(dfa: DFA, *, title: str = "") -> Figure:
    """Draw the states of an automaton as circles, and its transitions as arrows with their symbols.

    An arrow from nowhere leads to the start; accepting states have two circles; symbols of the same arrow share a label.
    A column holds the states with the same number of steps from the start.

    Args:
        dfa: the automaton.
        title: a line above the graph.
    """
    graph = _graph(dfa)
    places = _places(graph, dfa.start)
    corner = np.max(list(places.values()), axis=0) + _AROUND
    width, height = corner[0], corner[1] + (_TITLE if title else 0)
    with paper_style():
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(0, height)
        axes.set_axis_off()
        axes.set_label("Automaton")
        taken = list(places.values())
        for source, target, symbols in graph.edges(data="symbols"):
            label = ", ".join(symbols)
            if source == target:
                ways = [places[other] - places[source] for other in nx.all_neighbors(graph, source) if other != source]
                _draw_loop(axes, places[source], [*ways, *([_FROM_LEFT] if source == dfa.start else [])], label)
            else:
                points = _draw_edge(axes, places, source, target, both_ways=graph.has_edge(target, source))
                taken.append(max(points[[50, 40, 60, 30, 70]], key=lambda point: _free(point, taken)))
                _write(axes, taken[-1], label)
        _draw_arrow(axes, np.stack([places[dfa.start] + distance * _RADIUS * _FROM_LEFT for distance in (2.6, 1)]))
        for state, place in places.items():
            x, y = place.tolist()
            for radius in (_RADIUS, _RADIUS - 7)[: 2 if state in dfa.accepting else 1]:
                axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=INK, linewidth=0.8, zorder=3))
            axes.text(x, y, state, fontsize=min(8.0, 26 / len(state)), ha="center", va="center", zorder=4)
        if title:
            axes.text(20, height - 12, title, fontsize=9, ha="left", va="top")
    return figure


def _graph(dfa: DFA) -> nx.DiGraph:
    """Return the states and, for each pair of states with transitions, an edge with their symbols."""
    symbols: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (state, symbol), after in dfa.transitions.items():
        symbols[state, after].append(symbol)
    graph = nx.DiGraph()
    graph.add_nodes_from(dfa.states)
    graph.add_edges_from((source, target, {"symbols": names}) for (source, target), names in symbols.items())
    return graph


def _places(graph: nx.DiGraph, start: str) -> dict[str, np.ndarray]:
    """Return the centres of the states: a column for each distance from the start, each state near those before it."""
    columns = [list(column) for column in nx.bfs_layers(graph, [start])]
    reached = {state for column in columns for state in column}
    if unreached := [state for state in graph if state not in reached]:
        columns.append(unreached)
    heights = {start: 0.0}
    for before, column in pairwise(columns):
        near = {
            state: np.mean([heights[one] for one in before if graph.has_edge(one, state)] or [0.0]) for state in column
        }
        column.sort(key=lambda state: near[state])
        heights |= {state: place - (len(column) - 1) / 2 for place, state in enumerate(column)}
    lowest = min(heights.values())
    return {
        state: _AROUND + _GAP * np.array([number, heights[state] - lowest])
        for number, column in enumerate(columns)
        for state in column
    }


def _curve(source: np.ndarray, target: np.ndarray, bend: float) -> np.ndarray:
    """Return source, control point and target of a curve."""
    ahead = target - source
    return np.stack([source, (source + target) / 2 + bend * np.array([ahead[1], -ahead[0]]), target])


def _points(curve: np.ndarray) -> np.ndarray:
    """Return points on a curve from its source to its target."""
    return (1 - _ALONG) ** 2 * curve[0] + 2 * _ALONG * (1 - _ALONG) * curve[1] + _ALONG**2 * curve[2]


def _free(point: np.ndarray, taken: list[np.ndarray]) -> float:
    """Return how far a point is from those that are taken, up to the distance that suffices."""
    return min([float(_RADIUS), *(float(np.linalg.norm(point - other)) for other in taken)])


def _draw_edge(axes: Axes, places: dict[str, np.ndarray], source: str, target: str, *, both_ways: bool) -> np.ndarray:
    """Draw an arrow between two states, bent around other states, and return its points; opposite arrows bend apart."""
    others = np.array([place for state, place in places.items() if state not in (source, target)]).reshape(-1, 2)

    def touched(bend: float) -> int:
        points = _points(_curve(places[source], places[target], bend))
        distance = np.linalg.norm(points[:, None] - others[None], axis=2).min(axis=0, initial=np.inf)
        return int((distance < 1.5 * _RADIUS).sum())

    bend = min([bend for bend in _BENDS if not both_ways or bend > 0], key=touched)
    curve = _curve(places[source], places[target], bend)
    points = _points(curve)
    outside = (np.linalg.norm(points - curve[0], axis=1) > _RADIUS) & (
        np.linalg.norm(points - curve[2], axis=1) > _RADIUS + 1
    )
    _draw_arrow(axes, points[outside])
    return points


def _draw_loop(axes: Axes, place: np.ndarray, ways: Sequence[np.ndarray], label: str) -> None:
    """Draw the arrow from a state to itself, in the direction that is farthest from the ways to and from other states."""
    busy = [complex(*way) for way in ways]
    free = [min([np.pi, *(abs(np.angle(np.exp(1j * angle) / way)) for way in busy)]) for angle in _DIRECTIONS]
    angle = _DIRECTIONS[int(np.argmax(np.round(free, 3)))]

    def around(turn: float, distance: float) -> np.ndarray:
        return place + distance * _RADIUS * np.array([np.cos(angle + turn), np.sin(angle + turn)])

    corners = [around(_BESIDE, 1), around(_BESIDE * 1.3, 2.7), around(-_BESIDE * 1.3, 2.7), around(-_BESIDE, 1)]
    weights = [(1 - _ALONG) ** 3, 3 * _ALONG * (1 - _ALONG) ** 2, 3 * _ALONG**2 * (1 - _ALONG), _ALONG**3]
    _draw_arrow(axes, sum(weight * corner for weight, corner in zip(weights, corners, strict=True)))
    across, up = round(np.cos(angle)), round(np.sin(angle))
    _write(axes, around(0, 2.3), label, ha=("center", "left", "right")[across], va=("center", "bottom", "top")[up])


def _draw_arrow(axes: Axes, points: np.ndarray) -> None:
    arrow = FancyArrowPatch(
        path=Path(points), arrowstyle="-|>", mutation_scale=7, color=INK, linewidth=0.8, zorder=1, joinstyle="round"
    )
    axes.add_patch(arrow)


def _write(axes: Axes, place: np.ndarray, label: str, *, ha: str = "center", va: str = "center") -> None:
    x, y = place.tolist()
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    axes.text(x, y, label, fontsize=SMALL + 0.5, ha=ha, va=va, bbox=box, zorder=2)
