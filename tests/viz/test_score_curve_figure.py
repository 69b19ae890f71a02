"""A score curve: every place is a point with its value beside it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from memtape.core.score import Score
from memtape.core.score_curve import ScoreCurve
from memtape.viz.score_curve_figure import score_curve_figure

ACCURACY = Score(name="accuracy", label="share of correct labels", short="right", higher_is_better=True)
CURVE = ScoreCurve(
    places=(1, 2, 3, 4), values=(0.364, 0.828, 0.91, 0.926), axis="presentation of a class", score=ACCURACY, chance=0.2
)


def test_every_place_is_a_point_with_its_value_beside_it() -> None:
    (axes,) = score_curve_figure(CURVE).axes
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_xydata(), list(zip(CURVE.places, CURVE.values, strict=True)))
    texts = {text.xy: text.get_text() for text in axes.texts if hasattr(text, "xy")}
    assert [texts[place] for place in zip(CURVE.places, CURVE.values, strict=True)] == [
        "0.364",
        "0.828",
        "0.91",
        "0.926",
    ]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("presentation of a class", "share of correct labels")


def test_an_accuracy_is_drawn_from_0_to_1() -> None:
    (axes,) = score_curve_figure(CURVE).axes
    assert axes.get_ylim() == (0, 1)


def test_a_cost_is_drawn_with_its_zeros() -> None:
    cost = Score(name="bits", label="bits", short="bits")
    (axes,) = score_curve_figure(replace(CURVE, score=cost, values=(80.0, 1.0, 0.0, 0.0))).axes
    low, high = axes.get_ylim()
    assert low <= 0
    assert high >= 80


def test_the_chance_level_is_a_line_if_it_is_known() -> None:
    (axes,) = score_curve_figure(CURVE).axes
    assert [set(line.get_ydata()) for line in axes.lines if line.get_label() == "chance"] == [{0.2}]
    (axes,) = score_curve_figure(replace(CURVE, chance=None)).axes
    assert len(axes.lines) == 1


def test_values_do_not_overlap() -> None:
    values = tuple(0.789 - 0.001 * place for place in range(20))
    figure = score_curve_figure(replace(CURVE, places=tuple(range(1, 21)), values=values))
    figure.draw_without_rendering()
    texts = [text for text in figure.axes[0].texts if text.get_text() != "chance"]
    boxes = sorted((box.x0, box.x1) for box in (text.get_window_extent() for text in texts))
    assert len(boxes) == 20
    assert all(left[1] <= right[0] for left, right in pairwise(boxes))


@pytest.mark.parametrize(("places", "values"), [((), ()), ((1, 2), (0.5,))])
def test_a_curve_without_a_value_for_each_place_is_refused(places: tuple[int, ...], values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=f"has {len(places)} places and {len(values)} values, but needs one value for"):
        score_curve_figure(replace(CURVE, places=places, values=values))
