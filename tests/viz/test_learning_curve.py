"""The learning curve shows every score of a run, including exact zeros."""

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from memtape.core.score import Score
from memtape.tasks.algorithmic.bits import BitTask
from memtape.viz.learning_curve import learning_curve


def line(axes: Axes, label: str) -> Any:
    return next(line for line in axes.lines if line.get_label() == label)


@pytest.mark.parametrize(("kind", "label"), [("train", "training"), ("validation", "validation")])
def test_both_panels_draw_the_records_unchanged(records: list[dict[str, Any]], kind: str, label: str) -> None:
    kept = [record for record in records if record["kind"] == kind]
    for axes, metric in zip(learning_curve(records, BitTask.scored).axes, ("cost_bits", "wrong_bits"), strict=True):
        np.testing.assert_array_equal(line(axes, label).get_xdata(), [record["sequences"] for record in kept])
        np.testing.assert_array_equal(line(axes, label).get_ydata(), [record[metric] for record in kept])


def test_zeros_lie_inside_the_panel_and_have_a_tick(records: list[dict[str, Any]]) -> None:
    axes = learning_curve(records, BitTask.scored).axes[1]
    zeros = [y for y in line(axes, "training").get_ydata() if y == 0]
    assert len(zeros) == 6
    heights = axes.transData.transform([(16.0, 0.0), (16.0, 8.0), (16.0, 32.0)])[:, 1]
    assert np.isfinite(heights).all()
    assert axes.get_window_extent().y0 < heights[0] < heights[1] < heights[2] < axes.get_window_extent().y1
    assert 0 in axes.get_yticks()
    assert "linear below 1" in axes.get_title(loc="left")


def test_without_zeros_the_axis_is_logarithmic(records: list[dict[str, Any]]) -> None:
    axes = learning_curve(records[:5], BitTask.scored).axes[0]
    assert axes.get_yscale() == "log"
    assert "linear" not in axes.get_title(loc="left")


@pytest.mark.parametrize(("lowest", "scale"), [(2.2, "linear"), (0.3, "log")])
def test_values_close_to_each_other_have_a_linear_axis(
    records: list[dict[str, Any]], lowest: float, scale: str
) -> None:
    near = [record | {"cost_bits": lowest + 4.0 / max(place, 1)} for place, record in enumerate(records)]
    axes = learning_curve(near, BitTask.scored).axes[0]
    low, high = axes.get_ylim()
    assert axes.get_yscale() == scale
    assert low < lowest + 4.0 / len(near) < lowest + 4.0 < high
    if scale == "linear":
        assert len([tick for tick in axes.get_yticks() if low <= tick <= high]) >= 4


def test_a_run_without_any_error_can_be_drawn(records: list[dict[str, Any]]) -> None:
    figure = learning_curve([record | {"cost_bits": 0.0, "wrong_bits": 0.0} for record in records], BitTask.scored)
    assert all(axes.get_ylim()[0] < 0 < axes.get_ylim()[1] for axes in figure.axes)


def test_a_metric_that_is_not_a_number_leaves_a_gap(records: list[dict[str, Any]]) -> None:
    records[3]["cost_bits"], records[4]["cost_bits"] = None, math.nan
    ys = line(learning_curve(records, BitTask.scored).axes[0], "training").get_ydata()
    assert np.isnan(ys[[2, 3]]).all()
    assert np.isfinite(np.delete(ys, [2, 3])).all()


def test_the_step_of_the_solution_is_marked_at_its_sequences(records: list[dict[str, Any]]) -> None:
    for axes in learning_curve(records, BitTask.scored, solved_step=5).axes:
        assert [80, 80] in [list(drawn.get_xdata()) for drawn in axes.lines]
        assert "solved at step 5" in [text.get_text() for text in axes.texts]


def test_the_chance_level_is_a_line_in_the_panel_of_the_score(records: list[dict[str, Any]]) -> None:
    costs, wrongs = learning_curve(records, BitTask.scored, chance={"cost_bits": 84.0, "wrong_bits": 42.0}).axes
    assert [84, 84] in [list(drawn.get_ydata()) for drawn in costs.lines]
    assert [42, 42] in [list(drawn.get_ydata()) for drawn in wrongs.lines]


def test_a_step_outside_the_run_is_refused(records: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="solved_step is 11, but the records end at step 10"):
        learning_curve(records, BitTask.scored, solved_step=11)


def test_records_without_a_curve_are_refused(records: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="records contain 1 lines, but none of kind 'train' or 'validation'"):
        learning_curve(records[:1], BitTask.scored)


def test_a_record_without_a_metric_is_named(records: list[dict[str, Any]]) -> None:
    del records[2]["wrong_bits"]
    with pytest.raises(ValueError, match="record 2 of kind 'train' has no 'wrong_bits'"):
        learning_curve(records, BitTask.scored)


def test_a_negative_cost_is_refused(records: list[dict[str, Any]]) -> None:
    records[2]["cost_bits"] = -1.0
    with pytest.raises(ValueError, match=r"a value is -1\.0, but costs and errors are at least 0"):
        learning_curve(records, BitTask.scored)


def test_a_score_with_higher_is_better_has_a_linear_axis(records: list[dict[str, Any]]) -> None:
    accuracy = Score(name="accuracy", label="accuracy", short="right", higher_is_better=True)
    drawn = [record | {"accuracy": 0.0} for record in records]
    (axes,) = learning_curve(drawn, [accuracy]).axes
    assert axes.get_yscale() == "linear"
    assert axes.get_title(loc="left") == "accuracy"
