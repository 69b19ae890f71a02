"""The drawing of a tape shows the given arrays on one time axis."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from memtape.core.view import View
from memtape.viz.style import DPI, VERMILION
from memtape.viz.tape import Tape
from memtape.viz.tape_figure import tape_figure

NAMES = ["Inputs", "Outputs", "Targets", "Adds", "Reads", "Write weights", "Read weights"]


def panels(figure: Figure) -> dict[str, Axes]:
    return {axes.get_label(): axes for axes in figure.axes if axes.get_label() in NAMES}


def drawn(axes: Axes) -> np.ndarray:
    return np.ma.filled(axes.images[0].get_array(), np.nan)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


@pytest.mark.parametrize(("length", "heads"), [(1, 1), (10, 2), (120, 1)])
def test_all_panels_share_one_time_axis_and_are_aligned_to_the_pixel(
    copy_tape: Callable[..., Tape], length: int, heads: int
) -> None:
    axes = panels(tape_figure(copy_tape(length, slots=128, heads=heads)))
    assert list(axes) == NAMES
    first = axes["Inputs"]
    extents = {(panel.get_window_extent().x0, panel.get_window_extent().x1) for panel in axes.values()}
    assert len(extents) == 1
    for panel in axes.values():
        assert first.get_shared_x_axes().joined(first, panel)
        assert panel.get_xlim() == (-0.5, 2 * length + 0.5)
        assert panel.images[0].get_extent()[:2] == [-0.5, 2 * length + 0.5]


@pytest.mark.parametrize("length", [1, 7, 10, 40, 120, 300, 700])
def test_every_step_and_every_row_is_an_integer_number_of_pixels(copy_tape: Callable[..., Tape], length: int) -> None:
    figure = tape_figure(copy_tape(length, slots=128))
    for panel in panels(figure).values():
        box, (rows, steps) = panel.get_window_extent(), drawn(panel).shape
        for pixels in (box.width / steps, box.height / rows):
            assert pixels == pytest.approx(round(pixels), abs=1e-6)
            assert round(pixels) >= 1
    assert figure.dpi == DPI


def test_moving_one_panel_moves_all(copy_tape: Callable[..., Tape]) -> None:
    axes = panels(tape_figure(copy_tape(5)))
    axes["Reads"].set_xlim(2, 4)
    assert {panel.get_xlim() for panel in axes.values()} == {(2, 4)}


def test_the_drawn_arrays_are_the_given_ones(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(5, heads=2)
    axes = panels(tape_figure(tape, crop_slots=False))
    np.testing.assert_array_equal(drawn(axes["Inputs"]), tape.inputs.T)
    np.testing.assert_array_equal(drawn(axes["Outputs"]), tape.outputs.T)
    for view in tape.views:
        stacked = np.concatenate([view.values[:, 0], view.values[:, 1]], axis=1)
        np.testing.assert_array_equal(drawn(axes[view.title]), stacked.T)


def test_targets_are_blank_where_they_are_not_scored(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(5)
    shown = drawn(panels(tape_figure(tape))["Targets"]).T
    np.testing.assert_array_equal(shown[tape.scored], tape.targets[tape.scored])
    assert np.isnan(shown[~tape.scored]).all()


def test_cropped_weights_are_those_of_the_slots_on_the_axis_label(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(10, slots=128, first_slot=122)
    axes = panels(tape_figure(tape))["Write weights"]
    assert axes.get_ylabel() == "slot\n(120\N{EN DASH}7 of 128)"
    shown = drawn(axes)
    assert len(shown) == 16
    assert len(axes.get_yticks()) >= 2
    for place, name in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        np.testing.assert_array_equal(shown[int(place)], tape.view("write_weights")[:, 0, int(name.get_text())])
    assert shown.sum() == tape.view("write_weights").sum()


def test_weights_keep_their_slot_numbers_when_nothing_is_cropped(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(10, slots=128, first_slot=122)
    axes = panels(tape_figure(tape, crop_slots=False))["Read weights"]
    assert axes.get_ylabel() == "slot"
    np.testing.assert_array_equal(drawn(axes), tape.view("read_weights")[:, 0].T)


def test_wrong_bits_are_framed_where_they_are_and_counted(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(5)
    outputs = tape.outputs.copy()
    outputs[[7, 9], [0, 1]] = 1 - outputs[[7, 9], [0, 1]]
    figure = tape_figure(replace(tape, outputs=outputs))
    (frames,) = panels(figure)["Outputs"].collections
    corners = [path.vertices.min(axis=0).tolist() for path in frames.get_paths()]
    assert sorted(corners) == [[6.5, -0.5], [8.5, 0.5]]
    np.testing.assert_array_equal(frames.get_edgecolor(), [to_rgba(VERMILION)])
    assert "2 of 10 wrong" in texts(figure)
    assert "0 of 10 wrong" in texts(tape_figure(tape))


def test_a_line_through_all_panels_marks_the_start_of_the_answer(copy_tape: Callable[..., Tape]) -> None:
    for axes in panels(tape_figure(copy_tape(5))).values():
        assert [5.5, 5.5] in [list(line.get_xdata()) for line in axes.lines]


def test_a_sequence_without_an_answer_has_neither_line_nor_count(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(5)
    figure = tape_figure(replace(tape, scored=np.zeros(11, dtype=bool)))
    assert not any(axes.lines for axes in panels(figure).values())
    assert not any("wrong" in text for text in texts(figure))


def test_signed_panels_share_symmetric_limits_that_hold_every_value(
    copy_tape: Callable[..., Tape], changed: Callable[..., Tape]
) -> None:
    tape = copy_tape(5)
    axes = panels(tape_figure(changed(tape, reads=3 * tape.view("reads"))))
    limits = {axes[name].images[0].get_clim() for name in ("Adds", "Reads")}
    ((least, most),) = limits
    assert least == -most
    assert most >= np.abs(3 * tape.view("reads")).max()


def test_small_weights_have_their_own_scale(copy_tape: Callable[..., Tape], changed: Callable[..., Tape]) -> None:
    tape = copy_tape(5, slots=16)
    even = np.full_like(tape.view("read_weights"), 1 / 16)
    faint = panels(tape_figure(changed(tape, read_weights=even, write_weights=even)))
    assert faint["Read weights"].images[0].get_clim() == pytest.approx((0, 0.063))
    assert panels(tape_figure(tape))["Read weights"].images[0].get_clim() == (0, 1)


def test_inputs_below_zero_have_a_signed_scale(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(5)
    axes = panels(tape_figure(replace(tape, inputs=tape.inputs - 0.5)))
    assert axes["Inputs"].images[0].get_clim() == (-1, 1)
    assert axes["Outputs"].images[0].get_clim() == (0, 1)


def test_a_network_without_memory_has_three_panels(copy_tape: Callable[..., Tape]) -> None:
    assert list(panels(tape_figure(replace(copy_tape(5), views=())))) == NAMES[:3]


def test_views_of_no_heads_have_no_panels(copy_tape: Callable[..., Tape], changed: Callable[..., Tape]) -> None:
    tape = copy_tape(5)
    bare = changed(tape, **{view.name: view.values[:, :0] for view in tape.views})
    assert list(panels(tape_figure(bare))) == NAMES[:3]


SCALES = {"share": (0, 1), "level": (0, 1), "amount": (0, 110), "signed": (-110, 110)}


@pytest.mark.parametrize("scale", SCALES)
def test_each_scale_has_its_limits(copy_tape: Callable[..., Tape], view: Callable[..., View], scale: str) -> None:
    most = 103.0 if scale in ("amount", "signed") else 0.9
    values = np.linspace(0, most, 33).reshape(11, 3)
    tape = replace(copy_tape(5), views=(view("own", "Own", values, "thing", scale=scale, measure="thing"),))
    axes = next(axes for axes in tape_figure(tape).axes if axes.get_label() == "Own")
    np.testing.assert_array_equal(drawn(axes), values.T)
    assert axes.images[0].get_clim() == SCALES[scale]


def test_adjacent_panels_of_one_measure_share_a_colour_bar_and_others_do_not(
    copy_tape: Callable[..., Tape], view: Callable[..., View]
) -> None:
    values = np.linspace(0, 0.9, 33).reshape(11, 3)
    measures = ("gate", "gate", "mode", "gate")
    views = tuple(
        view(f"own {n}", f"Own {n}", values, "thing", scale="level", measure=measure)
        for n, measure in enumerate(measures)
    )
    figure = tape_figure(replace(copy_tape(5), views=views))
    bars = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel() in ("gate", "mode", "probability")]
    assert bars == ["probability", "gate", "mode", "gate"]


def test_entries_are_named_if_there_is_room(copy_tape: Callable[..., Tape], view: Callable[..., View]) -> None:
    values = np.zeros((11, 2, 3))
    names = ("back", "here", "on")
    own = view("own", "Own ways", values, "head", "way", scale="level", measure="way", entries=names)
    axes = next(a for a in tape_figure(replace(copy_tape(5), views=(own,))).axes if a.get_label() == "Own ways")
    assert [label.get_text() for label in axes.get_yticklabels()] == [*names, *names]


def test_many_heads_on_a_large_memory_are_drawn_in_one_panel(
    copy_tape: Callable[..., Tape], view: Callable[..., View]
) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(300), size=(11, 4))
    own = view("own", "Own weights", weights, "head", "slot", scale="share", measure="weight")
    figure = tape_figure(replace(copy_tape(5), views=(own,)), crop_slots=False)
    axes = next(axes for axes in figure.axes if axes.get_label() == "Own weights, largest of 4")
    np.testing.assert_array_equal(drawn(axes), weights.max(axis=1).T)


def test_the_title_is_drawn_as_given(copy_tape: Callable[..., Tape]) -> None:
    assert "NTM on copy" in texts(tape_figure(copy_tape(5), title="NTM on copy"))
