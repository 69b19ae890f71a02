"""Matrix drawing: draw views that are matrices, such as links and contents, below the time axis of a tape."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage

from memtape.core.view import View
from memtape.viz.panel_drawing import draw_bar, name_panel, slot_ticks
from memtape.viz.slot_window import SlotWindow
from memtape.viz.style import MUTED, SMALL
from memtape.viz.tape_layout import Column, row_pixels, step_pixels
from memtape.viz.tape_panels import COLOURS, limits_of
from memtape.viz.view_axes import cropped, is_slot_axis

_BUDGET, _NARROWEST = 320, 120
"""Largest side and least width of a matrix in pixels."""

_LARGEST_CELL = 12
_GAP, _ABOVE, _BELOW = 70, 40, 100
"""Pixels between two matrices, above them and below them."""

_TICKS_APART = 60
"""Pixels between two numbers along the lower edge of a matrix."""


@dataclass(frozen=True, eq=False)
class Band:
    """The positions of the matrices of one view below the time axis, one for each head, in pixels."""

    view: View
    window: SlotWindow
    cell_height: int
    cell_width: int
    in_a_row: int

    @classmethod
    def of(cls, view: View, window: SlotWindow, steps: int) -> "Band":
        """Return the band of a view.

        Args:
            view: a matrix, or one for each head.
            window: the slots to draw.
            steps: number of time steps above.
        """
        rows, columns = cropped(view, window).shape[-2:]
        height = row_pixels(max(rows, columns if is_slot_axis(view.axes[-1]) else 1), _BUDGET, most=_LARGEST_CELL)
        width = max(height, min(_LARGEST_CELL, _NARROWEST // max(columns, 1)))
        if is_slot_axis(view.axes[-1]):
            width = height
        span = steps * step_pixels(steps)
        return cls(view, window, height, width, max(1, (span + _GAP) // (width * columns + _GAP)))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of one matrix."""
        rows, columns = cropped(self.view, self.window).shape[-2:]
        return columns * self.cell_width, rows * self.cell_height

    @property
    def height(self) -> int:
        """Height of the band."""
        return -(-self.view.heads // self.in_a_row) * (self.size[1] + _BELOW) + _ABOVE

    def place(self, head: int) -> tuple[int, int]:
        """Return the lower left corner of the matrix of a head, relative to the panels and the band."""
        row, place = divmod(head, self.in_a_row)
        rows = -(-self.view.heads // self.in_a_row)
        return place * (self.size[0] + _GAP), (rows - 1 - row) * (self.size[1] + _BELOW) + _BELOW


def draw_matrices(column: Column, bands: list[Band]) -> None:
    """Draw matrices below the time axis; call this inside the context of the style.

    Args:
        column: the panels above, with room for all bands below.
        bands: the bands to draw, from top to bottom.
    """
    below = sum(band.height for band in bands)
    for band in bands:
        below -= band.height
        _draw(column, band, below)


def _draw(column: Column, band: Band, below: int) -> None:
    view, (width, height) = band.view, band.size
    shown = cropped(view, band.window)[-1]
    limits = limits_of([view])
    for head, matrix in enumerate(shown if view.axes[0] == "head" else shown[None]):
        left, bottom = band.place(head)
        axes = column.add(left, below + bottom, width, height)
        image = axes.imshow(
            matrix, aspect="auto", interpolation="none", cmap=COLOURS[view.scale], norm=Normalize(*limits)
        )
        _axes(axes, band)
        if view.heads > 1:
            axes.set_title(f"head {head + 1}", fontsize=SMALL, color=MUTED, pad=2)
        if head:
            axes.set_label(f"{view.title} of head {head + 1}")
        else:
            _name(column, axes, band, image, limits)


def _axes(axes: Axes, band: Band) -> None:
    down, across = band.view.axes[-2:]
    axes.set_xlabel(across, fontsize=SMALL, color=MUTED)
    for name, set_ticks, pixels, apart in (
        (across, axes.set_xticks, band.cell_width, _TICKS_APART),
        (down, axes.set_yticks, band.cell_height, None),
    ):
        ticks = slot_ticks(band.window, pixels, apart) if is_slot_axis(name) else []
        set_ticks([place for place, _ in ticks], [label for _, label in ticks], fontsize=SMALL)


def _name(column: Column, axes: Axes, band: Band, image: AxesImage, limits: tuple[float, float]) -> None:
    name_panel(axes, f"{band.view.title}\nat end", column)
    down = band.view.axes[-2]
    label = band.window.label(down) if is_slot_axis(down) else down
    axes.set_ylabel(label, fontsize=SMALL, color=MUTED, linespacing=1.1)
    box = axes.get_position()
    bottom, top = round(box.y0 * column.height), round(box.y1 * column.height)
    draw_bar(column.bar_beside(bottom, top), image, limits, band.view.measure)
