"""The gradient flow figure: medians and quartiles of the norms on a logarithmic axis."""

import numpy as np
import pytest

from memtape.viz.gradient_flow import gradient_flow_figure

DECAY = 10.0 ** np.arange(-20, 1, 2)  # eleven steps


def flow(*factors):
    """Return norms of rows that are multiples of one decay."""
    return np.outer(factors, DECAY)


def test_a_line_is_the_median_of_the_rows_and_its_band_is_the_interquartile_range():
    (axes,) = gradient_flow_figure({"a": flow(1, 2, 3, 4, 9)}).axes
    (line,) = axes.lines
    np.testing.assert_allclose(line.get_xdata(), np.arange(1, 12))
    np.testing.assert_allclose(line.get_ydata(), 3 * DECAY)
    band = axes.collections[0].get_paths()[0].vertices
    for step, norm in enumerate(DECAY, 1):
        found = band[band[:, 0] == step, 1]
        np.testing.assert_allclose([found.min(), found.max()], [2 * norm, 4 * norm])


def test_the_axis_is_logarithmic_and_holds_every_line():
    (axes,) = gradient_flow_figure({"vanishing": flow(1), "exploding": 1 / flow(1)}).axes
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert low == pytest.approx(1e-20)
    assert high == pytest.approx(1e20)


def test_rows_count_up_to_their_length_and_a_step_without_rows_is_a_gap():
    norms = flow(1, 3)
    norms[0, 5:] = np.nan
    norms[:, 8:] = np.nan
    (axes,) = gradient_flow_figure({"a": norms}).axes
    ys = axes.lines[0].get_ydata()
    np.testing.assert_allclose(ys[:8], np.concatenate([2 * DECAY[:5], 3 * DECAY[5:8]]))
    assert np.isnan(ys[8:]).all()


def test_a_gradient_of_zero_is_a_gap_on_the_logarithmic_axis():
    norms = flow(1)
    norms[:, :4] = 0
    (axes,) = gradient_flow_figure({"a": norms}).axes
    ys = axes.lines[0].get_ydata()
    assert np.isnan(ys[:4]).all()
    np.testing.assert_allclose(ys[4:], DECAY[4:])


def test_the_legend_names_each_network_and_five_networks_are_distinguishable():
    names = ["tanh", "GRU", "LSTM", "NTM", "DNC"]
    figure = gradient_flow_figure({name: flow(1) for name in names}, title="at initialisation")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    assert len({(line.get_color(), str(line.get_linestyle())) for line in figure.axes[0].lines}) == 5
    assert figure.get_suptitle() == "at initialisation"


@pytest.mark.parametrize(
    ("norms", "message"),
    [
        ({}, "norms is empty, but a figure needs at least one"),
        ({"a": DECAY}, r"the norms of 'a' have shape \(11,\), but they must be \(rows, time\)"),
        ({"a": np.zeros((0, 3))}, r"the norms of 'a' have shape \(0, 3\)"),
        ({"a": -flow(1)}, r"a norm of 'a' is -1\.0, but a norm is at least 0"),
        ({"a": 0 * flow(1)}, "the median gradient of 'a' is 0 at every step"),
    ],
)
def test_invalid_norms_are_refused(norms, message):
    with pytest.raises(ValueError, match=message):
        gradient_flow_figure(norms)
