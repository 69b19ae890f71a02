"""Panel drawing: draw panels over one time axis, with colour bars, slot numbers and a mark of the answer."""

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from memtape.viz.slot_window import SlotWindow
from memtape.viz.style import DPI, GREEN, MUTED, NOT_SHOWN, SMALL, VERMILION, muted
from memtape.viz.tape import Tape
from memtape.viz.tape_layout import Column, Place
from memtape.viz.tape_panels import Panel

_NAME_AT = 0.06
"""Distance of the panels' names from the left edge in inches."""

_SLOT_TICKS_APART = 36
_DIGIT = 11
"""Pixels of a digit of a slot number."""

_NAMED_ROWS_FROM = 16
"""Least height in pixels of a row with a name."""

_LEAST_HEIGHT = 60
"""Least height in pixels of a panel, so that the labels of its colour bar do not overlap."""

_TWO_LINES = 48
"""Least height in pixels of a panel of slots, whose name may have two lines."""


def draw_panels(panels: list[Panel], steps: int, window: SlotWindow, *, title: str, below: int = 0) -> Column:
    """Draw panels over one time axis; call this inside the context of the style.

    Args:
        panels: the panels from top to bottom; those without rows are omitted.
        steps: number of time steps.
        window: the slots that are drawn.
        title: a line above the panels, if any.
        below: pixels to leave free below the time axis.
    """
    panels = [_high_enough(panel) for panel in panels if panel.rows.shape[1]]
    column = Column(
        [Place(panel.rows.shape[1] * panel.row_height, panel.group) for panel in panels],
        steps,
        title=bool(title),
        head_names=any(panel.heads > 1 for panel in panels),
        below=below,
    )
    images = [_draw(panel, axes, column) for panel, axes in zip(panels, column.panels, strict=True)]
    for panel, axes in zip(panels, column.panels, strict=True):
        if panel.slots:
            _slot_axis(axes, panel, window, column)
        elif panel.row_height >= _NAMED_ROWS_FROM:
            axes.set_yticks(range(len(panel.row_names) * panel.heads), panel.row_names * panel.heads, fontsize=SMALL)
            axes.tick_params(axis="y", length=0)
    _colour_bars(column, panels, images)
    _time_axis(column)
    if title:
        column.figure.text(
            _NAME_AT * DPI / column.width, 1 - 10 / column.height, title, fontsize=9, va="top", ha="left"
        )
    return column


def _high_enough(panel: Panel) -> Panel:
    least = -(-(_TWO_LINES if panel.slots else _LEAST_HEIGHT) // panel.rows.shape[1])
    return replace(panel, row_height=max(panel.row_height, least))


def name_panel(axes: Axes, name: str, column: Column) -> None:
    """Write a panel's name at the left edge of the figure.

    Args:
        axes: the panel.
        name: its name, which may have two lines.
        column: the column of the panels.
    """
    box = axes.get_position()
    column.figure.text(_NAME_AT * DPI / column.width, (box.y0 + box.y1) / 2, name, va="center", ha="left")
    axes.set_label(name.replace("\n", " "))


def slot_ticks(window: SlotWindow, pixels: int, apart: int | None = None) -> list[tuple[int, str]]:
    """Return the positions and the numbers of the ticks of a slot axis.

    Args:
        window: the slots on the axis.
        pixels: size of one slot.
        apart: the least distance of two numbers in pixels; None for the default.
    """
    apart = _SLOT_TICKS_APART if apart is None else apart
    if not window.arc:
        places = range(0, len(window.order), -(-apart // pixels))
        return [(place, str(window.order[place])) for place in places]
    step = next(step for step in (2**power for power in range(31)) if step * pixels >= apart)
    return [(place, str(slot)) for place, slot in enumerate(window.order) if slot % step == 0]


def mark_answer(column: Column, tape: Tape) -> None:
    """Mark the start of the answer, and the wrong bits of it in the panel of the outputs.

    Args:
        column: the drawn panels of the tape.
        tape: the sequence.
    """
    if not tape.scored.any():
        return
    begin = int(np.argmax(tape.scored)) - 0.5
    for axes, gap in zip(column.panels, [*column.gaps, 0], strict=True):
        height = axes.get_window_extent().height
        axes.axvline(begin, -gap / height, 1, color=GREEN, linewidth=0.7, linestyle=(0, (4, 2)), clip_on=False)
    top = column.panels[0]
    where = top.get_xaxis_transform()
    label = top.annotate("answer", (begin, 1), (0, 2), xycoords=where, textcoords="offset points", color=GREEN)
    label.set_fontsize(SMALL)

    outputs = next(axes for axes in column.panels if axes.get_label() == "Outputs")
    wrong = np.argwhere(tape.wrong)
    frames = [Rectangle((step - 0.5, bit - 0.5), 1, 1) for step, bit in wrong.tolist()]
    outputs.add_collection(PatchCollection(frames, facecolor="none", edgecolor=VERMILION, linewidth=0.7))
    bits = int(tape.scored.sum()) * tape.outputs.shape[1]
    box = outputs.get_position()
    remark = column.figure.text(
        _NAME_AT * DPI / column.width, box.y0, f"{len(wrong)} of {bits} wrong", va="bottom", ha="left"
    )
    muted(remark)
    if len(wrong):
        remark.set_color(VERMILION)


def _draw(panel: Panel, axes: Axes, column: Column) -> AxesImage:
    axes.set_facecolor(NOT_SHOWN)
    # "none" and not "nearest": an SVG then holds one pixel a cell, sharp at any zoom, instead of a picture at 72 dpi.
    image = axes.imshow(
        panel.rows.T,
        aspect="auto",
        interpolation="none",
        cmap=panel.colours,
        norm=Normalize(*panel.limits),
        extent=(-0.5, column.steps - 0.5, panel.rows.shape[1] - 0.5, -0.5),
    )
    axes.set_yticks([])
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    name_panel(axes, panel.title, column)
    for head in range(panel.heads if panel.heads > 1 else 0):
        middle = (head + 0.5) / panel.heads
        muted(axes.text(1.0, 1 - middle, f" head {head + 1}", transform=axes.transAxes, va="center", ha="left"))
        if head:
            axes.axhline(head * panel.rows_per_head - 0.5, color=MUTED, linewidth=0.5)
    return image


def _slot_axis(axes: Axes, panel: Panel, window: SlotWindow, column: Column) -> None:
    per_head = panel.rows_per_head
    apart = min(_SLOT_TICKS_APART, per_head * panel.row_height // 3)
    ticks = slot_ticks(window, panel.row_height, apart)
    if panel.heads > 1:  # else the number of the last slots overlaps that of the next head's first slot
        ticks = [(place, name) for place, name in ticks if 2 * (per_head - place) * panel.row_height > apart]
    places = [(head * per_head + place, name) for head in range(panel.heads) for place, name in ticks]
    axes.set_yticks([place for place, _ in places], [label for _, label in places], fontsize=SMALL)
    axes.set_ylabel(window.label(), fontsize=SMALL, color=MUTED, linespacing=1.1)
    digits = len(str(window.order[-1])) if len(window.order) else 1
    axes.yaxis.set_label_coords(-(54 + _DIGIT * max(0, digits - 3)) / column.span, 0.5)
    if window.seam is not None:
        for head in range(panel.heads):
            axes.axhline(head * per_head + window.seam - 0.5, color=MUTED, linewidth=0.5, linestyle=(0, (1, 1.5)))


def _colour_bars(column: Column, panels: list[Panel], images: list[AxesImage]) -> None:
    for group in column.groups:
        image, panel = next((image, panel) for image, panel in zip(images, panels, strict=True) if panel.group == group)
        draw_bar(column.bar(group), image, panel.limits, panel.measure)


def draw_bar(axes: Axes, image: AxesImage, limits: tuple[float, float], label: str) -> None:
    """Draw a colour bar.

    Args:
        axes: the axes of the colour bar.
        image: the image whose colours it explains.
        limits: the numbers at its ends.
        label: the name of the numbers.
    """
    least, most = limits
    bar = Colorbar(axes, image, ticks=[least, 0, most] if least < 0 else [least, most])
    bar.ax.set_yticklabels(
        [
            (f"{tick:.2g}" if abs(tick) < 100 else f"{tick:.0f}").replace("-", "\N{MINUS SIGN}")
            for tick in bar.get_ticks()
        ],
        fontsize=SMALL,
    )
    bar.ax.tick_params(length=1.5, pad=1.5)
    bar.outline.set_linewidth(0.5)
    bar.set_label(label, fontsize=SMALL, color=MUTED)
    bar.ax.yaxis.set_label_coords(70 / 12, 0.5)


def _time_axis(column: Column) -> None:
    lowest = column.panels[-1]
    lowest.tick_params(axis="x", bottom=True, labelbottom=True)
    lowest.xaxis.set_major_locator(MaxNLocator(nbins=max(2, column.span // 110), integer=True, steps=[1, 2, 5, 10]))
    lowest.set_xlabel("time step")
    lowest.set_xlim(-0.5, column.steps - 0.5)
