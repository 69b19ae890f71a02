"""A score over lengths: every length is a point with its value."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from memtape.core.score import Score
from memtape.tasks.algorithmic.bits import WRONG_BITS
from memtape.viz.score_by_length import score_by_length

RESULTS: list[dict[str, Any]] = [
    {"length": length, "sequences": 100, "cost_bits": 2 * wrong, "wrong_bits": wrong}
    for length, wrong in [(120, 61.5), (10, 0.0), (20, 0.0), (50, 0.25)]
]


def test_every_length_is_a_point_with_its_value_beside_it() -> None:
    (axes,) = score_by_length(RESULTS, WRONG_BITS).axes
    (points,) = axes.lines
    np.testing.assert_array_equal(points.get_xdata(), [10, 20, 50, 120])
    np.testing.assert_array_equal(points.get_ydata(), [0, 0, 0.25, 61.5])
    texts = {text.xy: text.get_text() for text in axes.texts if hasattr(text, "xy")}
    assert [texts[10, 0.0], texts[20, 0.0], texts[50, 0.25], texts[120, 61.5]] == ["0", "0", "0.25", "61.5"]


def test_zeros_lie_inside_the_panel() -> None:
    (axes,) = score_by_length(RESULTS, WRONG_BITS).axes
    height = axes.transData.transform((10, 0))[1]
    assert axes.get_window_extent().y0 < height < axes.get_window_extent().y1
    assert axes.get_ylabel().endswith("(linear below 0.1)")


def test_a_score_below_zero_is_drawn_if_it_can_be_negative() -> None:
    excess = Score(name="excess", label="excess", short="excess", can_be_negative=True)
    results = [{"length": length, "excess": value} for length, value in ((60, -0.005), (80, 0.02), (100, 0.4))]
    (axes,) = score_by_length(results, excess).axes
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] < -0.005 < 0.4 < axes.get_ylim()[1]
    with pytest.raises(ValueError, match=r"a value is -0\.005, but costs and errors are at least 0"):
        score_by_length(results, replace(excess, can_be_negative=False))


@pytest.mark.parametrize("wrong", [0.0, 3.0])
def test_all_values_may_be_equal(wrong: float) -> None:
    (axes,) = score_by_length([result | {"wrong_bits": wrong} for result in RESULTS], WRONG_BITS).axes
    assert axes.get_ylim()[0] <= wrong < axes.get_ylim()[1]


def test_the_trained_lengths_are_shaded_with_their_ends_included() -> None:
    (axes,) = score_by_length(RESULTS, WRONG_BITS, trained=(2, 20)).axes
    assert (1.5, 20.5) in [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    assert "trained on 2\N{EN DASH}20" in [text.get_text() for text in axes.texts]


def test_the_chance_level_is_drawn_in_the_order_of_lengths() -> None:
    (axes,) = score_by_length(RESULTS, WRONG_BITS, chance={120: 480.0, 10: 40.0}).axes
    (chance,) = [line for line in axes.lines if line.get_label() == "chance"]
    np.testing.assert_array_equal(chance.get_xydata(), [(10, 40), (120, 480)])
    assert axes.get_ylim()[1] > 480


def test_labels_do_not_overlap() -> None:
    figure = score_by_length([{"length": length, "wrong_bits": 100.0 + length} for length in range(1, 101)], WRONG_BITS)
    figure.draw_without_rendering()
    values = [text for text in figure.axes[0].texts if text.get_text().isdigit()]
    boxes = sorted((box.x0, box.x1) for box in (text.get_window_extent() for text in values))
    assert len(boxes) > 10
    assert all(left[1] <= right[0] for left, right in pairwise(boxes))


def test_no_results_are_refused() -> None:
    with pytest.raises(ValueError, match="results are empty, but the figure needs at least one length"):
        score_by_length([], WRONG_BITS)


def test_a_result_without_a_value_is_named() -> None:
    with pytest.raises(ValueError, match="result 1 has no 'wrong_bits'"):
        score_by_length([RESULTS[0], {"length": 3}], WRONG_BITS)


def test_an_empty_range_of_trained_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match=r"trained is 20\.\.1, but the shortest length must come first"):
        score_by_length(RESULTS, WRONG_BITS, trained=(20, 1))
