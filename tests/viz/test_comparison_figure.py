"""Comparison figure: one line for every run, in shared panels."""

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from memtape.tasks.algorithmic.bits import BitTask
from memtape.viz.comparison_figure import comparison_figure
from memtape.viz.saving import rendered


def test_every_run_is_drawn_unchanged_with_its_name(records: list[dict[str, Any]]) -> None:
    slower = [{**record, "cost_bits": 2 * record["cost_bits"]} for record in records if record["kind"] == "validation"]
    figure = comparison_figure({"runs/a": records, "runs/b": slower}, BitTask.scored)
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    for name, values in (("runs/a", records), ("runs/b", slower)):
        kept = [record for record in values if record["kind"] == "validation"]
        np.testing.assert_array_equal(drawn[name].get_xdata(), [record["sequences"] for record in kept])
        np.testing.assert_array_equal(drawn[name].get_ydata(), [record["cost_bits"] for record in kept])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["runs/a", "runs/b", "the same in training"]
    assert drawn["runs/a"].get_color() != drawn["runs/b"].get_color()


def test_training_is_a_pale_line_of_the_same_colour(records: list[dict[str, Any]]) -> None:
    for axes, metric in zip(
        comparison_figure({"a": records}, BitTask.scored).axes, ("cost_bits", "wrong_bits"), strict=True
    ):
        pale, marked = axes.lines
        assert (pale.get_color(), pale.get_alpha()) == (marked.get_color(), 0.4)
        kept = [record[metric] for record in records if record["kind"] == "train"]
        np.testing.assert_array_equal(pale.get_ydata(), kept)


def test_many_runs_are_distinguishable_and_all_named(records: list[dict[str, Any]]) -> None:
    figure = comparison_figure({f"run {number}": records for number in range(9)}, BitTask.scored)
    strokes = {(line.get_color(), str(line._dash_pattern)) for line in figure.axes[0].lines[1::2]}  # type: ignore[attr-defined]
    assert len(strokes) == 9
    figure.draw_without_rendering()
    (legend,) = figure.legends
    below, panel = legend.get_window_extent(), figure.axes[0].get_window_extent()
    assert below.y0 >= 0
    assert below.y1 < panel.y0


def test_a_run_without_a_record_is_named_too(records: list[dict[str, Any]]) -> None:
    (legend,) = comparison_figure({"new": [], "old": records}, BitTask.scored).legends
    assert [text.get_text() for text in legend.get_texts()] == ["new", "old", "the same in training"]


def test_the_legend_omits_training_if_there_is_none(records: list[dict[str, Any]]) -> None:
    validations = [record for record in records if record["kind"] == "validation"]
    (legend,) = comparison_figure({"a": validations}, BitTask.scored).legends
    assert [text.get_text() for text in legend.get_texts()] == ["a"]


def test_runs_without_records_are_refused() -> None:
    with pytest.raises(ValueError, match="none of the 2 runs has a record of training or validation"):
        comparison_figure({"a": [], "b": []}, BitTask.scored)


@pytest.mark.parametrize("name", ["$x^{$", "_hidden", "name\udcff", "\x1b[31mred", r"\alpha"])
def test_any_name_is_drawn_and_named(records: list[dict[str, Any]], name: str) -> None:
    figure = comparison_figure({name: records, "other": records}, BitTask.scored)
    for kind in ("png", "svg"):
        drawn = rendered(figure, kind)
    ElementTree.fromstring(drawn)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 3
    if name.isprintable():
        assert name in legend.get_texts()[0].get_text()
        assert name in drawn.decode()
