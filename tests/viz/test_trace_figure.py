"""The figure of a trace has a panel for inputs, outputs and each view."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch

from memtape import DNC, GRU, NTM


@pytest.fixture
def trace():
    return NTM(3, 2, slots=6, width=4, controller_size=5).trace(torch.randn(1, 7, 3))


def test_a_trace_is_drawn_with_its_views(trace):
    panels = [axes.get_label() for axes in trace.figure(title="seven steps").axes]
    assert panels[:7] == ["Inputs", "Outputs", "Adds", "Reads", "Content gates", "Write weights", "Read weights"]
    assert "seven steps" in [text.get_text() for text in trace.figure(title="seven steps").texts]


def test_outputs_are_drawn_as_they_are(trace):
    image = next(axes for axes in trace.figure().axes if axes.get_label() == "Outputs").images[0]
    np.testing.assert_array_equal(image.get_array(), trace.outputs.T)


def test_a_network_without_a_memory_is_drawn_with_inputs_and_outputs():
    figure = GRU(3, 2, hidden_size=4).trace(torch.randn(1, 2, 3)).figure()
    assert [axes.get_label() for axes in figure.axes][:2] == ["Inputs", "Outputs"]


def test_numbers_at_the_colour_bars_of_few_rows_do_not_overlap():
    figure = GRU(2, 1, hidden_size=4).trace(torch.randn(1, 5, 2)).figure()
    figure.canvas.draw()
    bars = [axes for axes in figure.axes if axes.yaxis.get_ticks_position() == "right"]
    assert len(bars) == 2
    for bar in bars:
        boxes = sorted((label.get_window_extent() for label in bar.get_yticklabels()), key=lambda box: box.y0)
        assert all(below.y1 < above.y0 for below, above in pairwise(boxes))


def test_numbers_that_are_not_finite_are_refused(trace):
    outputs = trace.outputs.copy()
    outputs[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"outputs of the trace is nan at \(3, 1\), but every number must be finite"):
        dataclasses.replace(trace, outputs=outputs).figure()


def test_names_of_panels_of_few_slots_do_not_overlap():
    figure = DNC(3, 2, slots=4, width=3, controller_size=4).trace(torch.randn(1, 9, 3)).figure()
    figure.canvas.draw()
    names = [text for text in figure.texts if text.get_text().replace("\n", " ") in {"Write weights", "Read weights"}]
    write, read = (text.get_window_extent() for text in names)
    assert read.y1 <= write.y0 or write.y1 <= read.y0
