"""The drawing of a graph shows the query, the prediction, and the edges that the read heads read."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from memtape.core.graph_picture import GraphPicture
from memtape.viz.edge_reads import edge_reads
from memtape.viz.graph_figure import graph_figure
from memtape.viz.style import DPI, GREEN, HAIRLINE, VERMILION

END = ("end", "", "")
NOTHING = ("_", "_", "_")
SQUARE = GraphPicture(
    nodes=("a", "b", "c", "d"),
    places=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    edges=((0, "x", 1), (1, "x", 0), (1, "y", 2), (2, "y", 3), (3, "z", 0)),
    paths=((0, 2, 3),),
    steps=(
        ("c", "y", "d"),
        ("a", "x", "b"),
        ("b", "x", "a"),
        ("b", "y", "c"),
        ("d", "z", "a"),
        ("a", "x", "_"),
        NOTHING,
        NOTHING,
        NOTHING,
        NOTHING,
    ),
    shown=(3, 0, 1, 2, 4, None, None, None, None, None),
    answers=(*[None] * 6, ("a", "x", "b"), ("b", "y", "c"), ("c", "y", "d"), END),
    predicted=(*[None] * 6, ("a", "x", "b"), ("b", "x", "a"), ("c", "y", "d"), END),
)
STEPS = len(SQUARE.steps)


def reading(*at: dict[int, float], heads: int = 1) -> np.ndarray:
    """Return the sources of every head in the steps of the answer, by the step of the write."""
    sources = np.zeros((STEPS, heads, STEPS))
    for step, weights in enumerate(at, start=6):
        for source, weight in weights.items():
            sources[step, :, source] = weight
    return sources


SOURCES = reading({1: 0.9, 5: 0.1}, {3: 0.4, 4: 0.6}, {0: 1.0}, {2: 0.2})


def axes_called(figure: Figure, name: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_label() == name)


def arrows(figure: Figure, colour: str) -> int:
    patches = axes_called(figure, "Graph").patches
    return sum(isinstance(patch, FancyArrowPatch) and same_color(patch.get_edgecolor(), colour) for patch in patches)


def words(axes: Axes, colour: str) -> list[str]:
    return [text.get_text() for text in axes.texts if same_color(text.get_color(), colour)]


def test_target_edges_are_numbered_and_wrong_predictions_are_dashed() -> None:
    figure = graph_figure(SQUARE)
    axes = axes_called(figure, "Graph")
    assert (arrows(figure, GREEN), arrows(figure, VERMILION), arrows(figure, HAIRLINE)) == (3, 1, 1)
    assert words(axes, GREEN) == ["1", "2", "3"]
    assert words(axes, VERMILION) == ["2", "3 of 4 right"]
    assert {"a", "b", "c", "d"} <= {text.get_text() for text in axes.texts}


def test_a_right_prediction_has_no_dashed_edges() -> None:
    figure = graph_figure(replace(SQUARE, predicted=SQUARE.answers))
    assert arrows(figure, VERMILION) == 0
    assert "4 of 4 right" in [text.get_text() for text in axes_called(figure, "Graph").texts]


def test_without_a_prediction_nothing_is_counted_as_right_or_wrong() -> None:
    figure = graph_figure(replace(SQUARE, predicted=(None,) * STEPS))
    assert not any("right" in text.get_text() for text in axes_called(figure, "Graph").texts)
    assert len(figure.axes) == 1


def test_edges_of_several_paths_are_numbered_path_by_path() -> None:
    axes = axes_called(graph_figure(replace(SQUARE, paths=((0, 2), (2, 3)))), "Graph")
    assert words(axes, GREEN) == ["1.1", "1.2, 2.1", "2.2"]


def test_edges_are_listed_by_target_order_and_then_by_read_weight() -> None:
    seen = edge_reads(SQUARE, SOURCES)
    assert seen.names == (
        *(f"{a} \N{EN DASH}{edge}→ {b}" for a, edge, b in ("axb", "byc", "cyd", "dza", "bxa")),
        "elsewhere",
    )
    assert seen.steps == ("1", "2", "3", "end")
    assert seen.right == ((0,), (1,), (2,), ())
    assert seen.wrong == (False, True, False, False)
    np.testing.assert_allclose(
        seen.weights[0], [[0.9, 0, 0, 0], [0, 0.4, 0, 0], [0, 0, 1, 0], [0, 0.6, 0, 0], [0, 0, 0, 0.2], [0.1, 0, 0, 0]]
    )


def test_an_answer_that_is_not_an_edge_is_drawn_through_the_edges_of_its_path() -> None:
    answers = (*[None] * 6, ("a", "far", "c"), END, ("b", "far", "d"), END)
    picture = replace(SQUARE, paths=((0, 2), (2, 3)), answers=answers, predicted=answers)
    seen = edge_reads(picture, SOURCES)
    assert seen.steps == ("1", "end", "2", "end")
    assert seen.right == ((0, 1), (), (1, 2), ())


def test_the_drawn_sources_are_the_given_ones() -> None:
    sources = reading({1: 0.9}, {3: 0.4}, {0: 1.0}, heads=2)
    sources[8, 1] = 0
    figure = graph_figure(SQUARE, sources)
    seen = edge_reads(SQUARE, sources)
    for head in (0, 1):
        axes = axes_called(figure, f"Read head {head + 1}")
        np.testing.assert_allclose(axes.images[0].get_array(), seen.weights[head])
        (frames,) = axes.collections
        corners = sorted(path.vertices.min(axis=0).tolist() for path in frames.get_paths())
        assert corners == [[-0.5, -0.5], [0.5, 0.5], [1.5, 1.5]]
    names = [label.get_text() for label in axes_called(figure, "Read head 1").get_yticklabels()]
    assert names == list(seen.names)


def test_everything_is_inside_the_figure_and_long_names_fit() -> None:
    long = replace(SQUARE, nodes=("King's Cross St. Pancras", "Tottenham Court Road", "High Street Kensington", "d"))
    answers = (*[None] * 6, ("King's Cross St. Pancras", "x", "Tottenham Court Road"), None, None, END)
    figure = graph_figure(
        replace(long, answers=answers, predicted=answers), np.repeat(SOURCES, 4, axis=1), title="Graph"
    )
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * DPI
    for axes in figure.axes:
        ticks = [*axes.get_yticklabels(), *axes.get_xticklabels()] if axes.axison else []
        for label in [*ticks, *axes.texts]:
            box = label.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= width
            assert box.y0 >= 0
            assert box.y1 <= height


def test_nodes_that_are_close_are_drawn_apart() -> None:
    near = replace(SQUARE, places=((0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.501, 0.5)))
    axes = axes_called(graph_figure(near), "Graph")
    dots = np.array([line.get_xydata()[0] for line in axes.lines])
    assert np.hypot(*(dots[2] - dots[3])) > 50


def test_sources_of_another_run_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"sources have shape \(9, 1, 10\), but the picture has 10 steps, and they must be"
    ):
        graph_figure(SQUARE, SOURCES[1:])
