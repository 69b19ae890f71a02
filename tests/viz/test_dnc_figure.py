"""The picture of a DNC shows a tape, what the heads were told, which slots are used, and the links at the end."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memtape.viz.dnc_figure import dnc_figure
from memtape.viz.dnc_tape import DNCTape
from memtape.viz.style import DPI
from memtape.viz.tape import Tape

TAPE = ["Inputs", "Outputs", "Targets", "Adds", "Reads"]
TOLD = ["Write gates", "Allocation gates", "Free gates", "Read modes"]
PLACES = ["Write weights", "Read weights", "Usage"]


@pytest.fixture
def dnc_tape(copy_tape: Callable[..., Tape]) -> Callable[..., DNCTape]:
    def make(length: int = 5, *, slots: int = 16, heads: int = 1, links: bool = True, **options: int) -> DNCTape:
        tape = copy_tape(length, slots=slots, heads=heads, **options)
        draw = np.random.default_rng(length).uniform
        return DNCTape(
            tape=tape,
            write_gates=draw(size=(tape.steps, heads)),
            allocation_gates=draw(size=(tape.steps, heads)),
            free_gates=draw(size=(tape.steps, heads)),
            read_modes=draw(size=(tape.steps, heads, 1 + 2 * heads if links else 1)),
            usage=draw(size=(tape.steps, slots)),
            links=draw(size=(heads if links else 0, slots, slots)),
        )

    return make


def panels(figure: Figure) -> dict[str, Axes]:
    return {axes.get_label(): axes for axes in figure.axes if axes.get_label() and "colorbar" not in axes.get_label()}


def drawn(axes: Axes) -> np.ndarray:
    return np.ma.filled(axes.images[0].get_array(), np.nan)


def test_the_panels_stand_in_the_order_of_a_step(dnc_tape: Callable[..., DNCTape]) -> None:
    assert list(panels(dnc_figure(dnc_tape()))) == [*TAPE, *TOLD, *PLACES, "Links at the end"]


def test_the_arrays_drawn_are_the_arrays_given(dnc_tape: Callable[..., DNCTape]) -> None:
    record = dnc_tape(heads=2)
    axes = panels(dnc_figure(record, crop_slots=False))
    np.testing.assert_array_equal(drawn(axes["Write gates"]), record.write_gates.T)
    np.testing.assert_array_equal(drawn(axes["Allocation gates"]), record.allocation_gates.T)
    np.testing.assert_array_equal(drawn(axes["Free gates"]), record.free_gates.T)
    modes = np.concatenate([record.read_modes[:, 0], record.read_modes[:, 1]], axis=1)
    np.testing.assert_array_equal(drawn(axes["Read modes"]), modes.T)
    np.testing.assert_array_equal(drawn(axes["Usage"]), record.usage.T)
    np.testing.assert_array_equal(drawn(axes["Links at the end"]), record.links[0])
    np.testing.assert_array_equal(drawn(axes["Links of head 2"]), record.links[1])


@pytest.mark.parametrize(
    ("heads", "names"),
    [
        (1, ["backward", "content", "forward"]),
        (2, ["backward 1", "backward 2", "content", "forward 1", "forward 2"] * 2),
    ],
)
def test_modes_are_named(dnc_tape: Callable[..., DNCTape], heads: int, names: list[str]) -> None:
    axes = panels(dnc_figure(dnc_tape(heads=heads)))["Read modes"]
    assert [label.get_text() for label in axes.get_yticklabels()] == names


def test_without_links_there_are_neither_modes_nor_a_matrix(dnc_tape: Callable[..., DNCTape]) -> None:
    bare = dnc_figure(dnc_tape(links=False))
    assert list(panels(bare)) == [*TAPE, *TOLD[:3], *PLACES]
    assert bare.get_figheight() < dnc_figure(dnc_tape()).get_figheight()


def test_slots_are_those_that_the_axis_names_in_weights_usage_and_links(dnc_tape: Callable[..., DNCTape]) -> None:
    record = dnc_tape(10, slots=128, first_slot=40)
    axes = panels(dnc_figure(record))
    assert axes["Usage"].get_ylabel() == "slot\n(38\N{EN DASH}53 of 128)"
    np.testing.assert_array_equal(drawn(axes["Usage"]), record.usage[:, 38:54].T)
    np.testing.assert_array_equal(drawn(axes["Links at the end"]), record.links[0, 38:54, 38:54])
    links = axes["Links at the end"]
    for ticks, names in (
        (links.get_xticks(), links.get_xticklabels()),
        (links.get_yticks(), links.get_yticklabels()),
    ):
        assert len(ticks) >= 2
        assert [int(name.get_text()) for name in names] == [38 + place for place in ticks]


@pytest.mark.parametrize(("length", "slots", "heads"), [(3, 16, 1), (10, 128, 1), (10, 32, 2), (40, 16, 4)])
def test_every_cell_is_a_whole_number_of_pixels_inside_the_figure(
    dnc_tape: Callable[..., DNCTape], length: int, slots: int, heads: int
) -> None:
    figure = dnc_figure(dnc_tape(length, slots=slots, heads=heads))
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


def test_faint_links_get_a_scale_of_their_own(dnc_tape: Callable[..., DNCTape]) -> None:
    record = dnc_tape()
    assert panels(dnc_figure(record))["Links at the end"].images[0].get_clim() == (0, 1)
    faint = replace(record, links=record.links * 0.063 / record.links.max())
    assert panels(dnc_figure(faint))["Links at the end"].images[0].get_clim() == pytest.approx((0, 0.063))


def test_the_title_is_drawn_as_given(dnc_tape: Callable[..., DNCTape]) -> None:
    assert "DNC on copy" in [text.get_text() for text in dnc_figure(dnc_tape(), title="DNC on copy").texts]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"free_gates": np.zeros((11, 2))},
            "free_gates of the DNC tape has 2 along its read_heads axis, but the tape has 1, and both must agree; record",
        ),
        (
            {"usage": np.zeros((11, 15))},
            "usage of the DNC tape has 15 along its slots axis, but the tape has 16, and both must agree; record all",
        ),
        (
            {"read_modes": np.zeros((11, 1, 1))},
            "read_modes of the DNC tape has 1 along its modes axis, but one way by content, and two along the links of each "
            "head, has 3, and both must agree",
        ),
        (
            {"usage": np.full((11, 16), 1.5)},
            r"usage of the DNC tape spans 1\.5\.\.1\.5, but it must lie in 0\.\.1; pass the",
        ),
        (
            {"write_gates": np.full((11, 1), -3.0)},
            r"write_gates of the DNC tape spans -3\.\.-3, but it must lie in 0\.\.1; pass the gates after their sigmoid",
        ),
        (
            {"links": np.full((1, 16, 16), np.nan)},
            r"links of the DNC tape is nan at \(0, 0, 0\), but every number must be finite; take a checkpoint",
        ),
        (
            {"links": np.zeros((16, 16))},
            r"links of the DNC tape has shape \(16, 16\), but it must be \(linking_heads, slots, slots\); pass one sequence",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    dnc_tape: Callable[..., DNCTape], changes: dict[str, np.ndarray], message: str, shapes_unchecked: None
) -> None:
    record = dnc_tape()
    if changes.get("links", np.zeros((1,))).ndim == 2:
        changes = changes | {"read_modes": np.zeros((11, 1, 33))}
    with pytest.raises(ValueError, match=message):
        replace(record, **changes)
