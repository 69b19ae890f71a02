"""Views that are matrices, such as links and contents, are drawn below the time axis, with their values at the end."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memtape.core.view import View
from memtape.viz.style import DPI
from memtape.viz.tape import Tape
from memtape.viz.tape_figure import tape_figure

PANELS = ["Inputs", "Outputs", "Targets", "Adds", "Reads", "Write weights", "Read weights", "Usage"]


@pytest.fixture
def linked(copy_tape: Callable[..., Tape], view: Callable[..., View]) -> Callable[..., Tape]:
    """A tape with a usage, links and contents."""

    def make(length: int = 5, *, slots: int = 16, heads: int = 1, **options: int) -> Tape:
        tape = copy_tape(length, slots=slots, heads=heads, **options)
        draw = np.random.default_rng(length).uniform
        axes, share = ("head", "written slot", "right after slot"), {"scale": "share", "measure": "link"}
        usage = draw(size=(tape.steps, slots))
        own = (
            view("usage", "Usage", usage, "slot", scale="level", measure="usage"),
            view("links", "Links", draw(size=(1, heads, slots, slots)), *axes, **share),
            view("contents", "Contents", draw(-3, 2, size=(1, slots, 5)), "slot", "width"),
        )
        return replace(tape, views=(*tape.views, *own))

    return make


def panels(figure: Figure) -> dict[str, Axes]:
    return {axes.get_label(): axes for axes in figure.axes if axes.get_label() and "colorbar" not in axes.get_label()}


def drawn(axes: Axes) -> np.ndarray:
    return np.ma.filled(axes.images[0].get_array(), np.nan)


def test_matrices_are_below_the_panels_in_the_order_of_their_views(linked: Callable[..., Tape]) -> None:
    axes = panels(tape_figure(linked()))
    assert list(axes) == [*PANELS, "Links at end", "Contents at end"]
    bottoms = [each.get_window_extent().y0 for each in axes.values()]
    assert bottoms == sorted(bottoms, reverse=True)


def test_the_drawn_arrays_are_the_given_ones(linked: Callable[..., Tape]) -> None:
    tape = linked(heads=2)
    axes = panels(tape_figure(tape, crop_slots=False))
    np.testing.assert_array_equal(drawn(axes["Usage"]), tape.view("usage").T)
    np.testing.assert_array_equal(drawn(axes["Links at end"]), tape.view("links")[0, 0])
    np.testing.assert_array_equal(drawn(axes["Links of head 2"]), tape.view("links")[0, 1])
    np.testing.assert_array_equal(drawn(axes["Contents at end"]), tape.view("contents")[0])
    assert axes["Links at end"].get_xlabel() == "right after slot"
    assert axes["Links at end"].get_ylabel() == "written slot"
    assert axes["Contents at end"].get_xlabel() == "width"


def test_without_matrices_no_space_is_reserved(linked: Callable[..., Tape]) -> None:
    tape = linked()
    bare = replace(tape, views=tuple(view for view in tape.views if not view.matrix))
    assert list(panels(tape_figure(bare))) == PANELS
    assert tape_figure(bare).get_figheight() < tape_figure(tape).get_figheight() - 2


def test_usage_links_and_contents_show_the_slots_of_the_axis_label(linked: Callable[..., Tape]) -> None:
    tape = linked(10, slots=128, first_slot=40)
    axes = panels(tape_figure(tape))
    assert axes["Usage"].get_ylabel() == "slot\n(38\N{EN DASH}53 of 128)"
    np.testing.assert_array_equal(drawn(axes["Usage"]), tape.view("usage")[:, 38:54].T)
    np.testing.assert_array_equal(drawn(axes["Links at end"]), tape.view("links")[0, 0, 38:54, 38:54])
    np.testing.assert_array_equal(drawn(axes["Contents at end"]), tape.view("contents")[0, 38:54])
    links = axes["Links at end"]
    for ticks, names in (
        (links.get_xticks(), links.get_xticklabels()),
        (links.get_yticks(), links.get_yticklabels()),
    ):
        assert len(ticks) >= 2
        assert [int(name.get_text()) for name in names] == [38 + place for place in ticks]


def test_for_scattered_slots_the_axis_names_each_drawn_slot(
    linked: Callable[..., Tape], changed: Callable[..., Tape]
) -> None:
    tape = linked(5, slots=2_000)
    scattered = np.zeros((11, 1, 2_000))
    touched = np.arange(7, 2_000, 180)[:11]
    scattered[np.arange(11), 0, touched] = 1
    axes = panels(tape_figure(changed(tape, read_weights=scattered, write_weights=scattered)))["Read weights"]
    assert axes.get_ylabel() == "slot\n(11 of 2000)"
    np.testing.assert_array_equal(drawn(axes), scattered[:, 0, touched].T)
    for place, name in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        assert int(name.get_text()) == touched[int(place)]


@pytest.mark.parametrize(("length", "slots", "heads"), [(3, 16, 1), (10, 128, 1), (10, 32, 2), (40, 16, 4)])
def test_every_cell_is_an_integer_number_of_pixels_inside_the_figure(
    linked: Callable[..., Tape], length: int, slots: int, heads: int
) -> None:
    figure = tape_figure(linked(length, slots=slots, heads=heads))
    boxes = []
    for name, axes in panels(figure).items():
        box, (rows, columns) = axes.get_window_extent(), drawn(axes).shape
        for pixels in (box.width / columns, box.height / rows):
            assert pixels == pytest.approx(round(pixels), abs=1e-6)
            assert round(pixels) >= 1
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.get_figwidth() * DPI
        if name.startswith("Links"):
            assert box.width == pytest.approx(box.height)
            boxes.append(box)
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_small_links_have_their_own_scale(linked: Callable[..., Tape], changed: Callable[..., Tape]) -> None:
    record = linked()
    assert panels(tape_figure(record))["Links at end"].images[0].get_clim() == (0, 1)
    faint = changed(record, links=record.view("links") * 0.063 / record.view("links").max())
    assert panels(tape_figure(faint))["Links at end"].images[0].get_clim() == pytest.approx((0, 0.063))


def test_the_title_is_drawn_as_given(linked: Callable[..., Tape]) -> None:
    assert "DNC on copy" in [text.get_text() for text in tape_figure(linked(), title="DNC on copy").texts]
