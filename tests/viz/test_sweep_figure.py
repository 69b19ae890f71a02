"""Sweep figure: a thin line for every seed, and a line for the median."""

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from memtape.tasks.algorithmic.bits import BitTask
from memtape.viz.sweep_figure import sweep_figure


def seed(*costs: float, every: int = 16) -> list[dict[str, Any]]:
    return [
        {"kind": "validation", "step": step, "sequences": every * step, "cost_bits": cost, "wrong_bits": cost / 2}
        for step, cost in enumerate(costs, 1)
    ]


def lines(figure: Figure, label: str, panel: int = 0) -> list[list[tuple[float, float]]]:
    drawn = [line for line in figure.axes[panel].lines if line.get_label() == label]
    return [[(float(x), float(y)) for x, y in line.get_xydata()] for line in drawn]  # type: ignore[union-attr]


def test_every_seed_and_their_median_are_drawn_in_both_panels() -> None:
    figure = sweep_figure([seed(8, 4), seed(6, 2), seed(1, 1)], BitTask.scored)
    for panel, share in ((0, 1.0), (1, 0.5)):
        assert lines(figure, "one seed", panel) == [
            [(16, 8 * share), (32, 4 * share)],
            [(16, 6 * share), (32, 2 * share)],
            [(16, 1 * share), (32, 1 * share)],
        ]
        assert lines(figure, "median", panel) == [[(16, 6 * share), (32, 2 * share)]]


def test_a_finished_seed_keeps_its_last_value() -> None:
    figure = sweep_figure([seed(8, 0), seed(8, 4, 3, 2), seed(8, 7, 6, 5)], BitTask.scored)
    assert lines(figure, "median") == [[(16, 8), (32, 4), (48, 3), (64, 2)]]


def test_the_median_starts_where_all_seeds_have_a_value() -> None:
    figure = sweep_figure([seed(8, 6, every=16), seed(4, 2, every=32)], BitTask.scored)
    assert lines(figure, "median") == [[(32, 5), (64, 4)]]


def test_other_configurations_are_drawn_as_medians_only() -> None:
    figure = sweep_figure([seed(8, 4)], BitTask.scored, others=[[seed(9, 7), seed(7, 5)], [[], []]])
    assert lines(figure, "median of another configuration") == [[(16, 8), (32, 6)]]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["median of another configuration", "median", "one seed"]


def test_a_seed_without_a_validation_is_skipped() -> None:
    figure = sweep_figure([seed(8, 4), []], BitTask.scored)
    assert len(lines(figure, "one seed")) == 1
    assert lines(figure, "median") == [[(16, 8), (32, 4)]]


def test_zeros_lie_inside_the_panel() -> None:
    axes = sweep_figure([seed(8, 0), seed(4, 0)], BitTask.scored).axes[0]
    heights = axes.transData.transform([(16.0, 0.0), (16.0, 8.0)])[:, 1]
    assert np.isfinite(heights).all()
    assert axes.get_window_extent().y0 < heights[0] < heights[1] < axes.get_window_extent().y1


def test_a_cost_that_is_not_a_number_leaves_a_gap_and_counts_as_the_worst() -> None:
    figure = sweep_figure([seed(8, math.nan), seed(4, 2), seed(5, 3)], BitTask.scored)
    assert math.isnan(lines(figure, "one seed")[0][1][1])
    assert lines(figure, "median") == [[(16, 5), (32, 3)]]


def test_seeds_without_validations_are_refused() -> None:
    with pytest.raises(ValueError, match="none of the 2 seeds has a validation, but there must be one to draw"):
        sweep_figure([[], [{"kind": "train"}]], BitTask.scored)
