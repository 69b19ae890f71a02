"""Tape figure: inputs, outputs, adds, reads and the heads' weights of one sequence, over one time axis."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from memtape.viz.slot_window import SlotWindow, every_slot, touched_slots
from memtape.viz.style import (
    DPI,
    GREEN,
    GREY,
    INK_ON_PAPER,
    MUTED,
    NOT_SHOWN,
    SIGNED,
    SMALL,
    VERMILION,
    muted,
    paper_style,
)
from memtape.viz.tape import Tape
from memtape.viz.tape_layout import Column, Place, row_pixels

_NAME_AT = 0.06
"""Distance of the panels' names from the left edge, in inches."""

_BITS_BUDGET, _VECTORS_BUDGET, _SLOTS_BUDGET = 130, 130, 300
"""Pixels of height for one panel; two heads or more share half as many again."""

_SLOT_TICKS_APART = 36

# A softmax spread over many slots peaks far below 1; then the scale ends at the peak, and the colour bar says so.
_FULL_SCALE_FROM = 0.5


@dataclass(frozen=True, eq=False)
class _Panel:
    name: str
    rows: Float[np.ndarray, "time rows"]
    heads: int
    row_height: int
    group: str
    colours: Colormap
    limits: tuple[float, float]

    @property
    def rows_per_head(self) -> int:
        return self.rows.shape[1] // self.heads


def tape_figure(tape: Tape, *, title: str = "", crop_slots: bool = True) -> Figure:
    """Draw what one sequence went through, as in the paper's figure of the copy task.

    All panels share one time axis, and a column of pixels is the same step in each. A dashed line marks where the
    answer begins, frames mark wrong bits of the answer, and targets of steps that are not scored stay blank.

    Args:
        tape: the sequence to draw; panels of a network without memory (no heads) are left out.
        title: a line above the panels.
        crop_slots: show only the arc of slots that some head touched, if that spares room; the axis then says so.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, figure 6.
    """
    weights = np.concatenate([_by_row(tape.write_weights), _by_row(tape.read_weights)])
    window = touched_slots(weights) if crop_slots and weights.size else every_slot(tape.slots)
    panels = [panel for panel in _panels(tape, window) if panel.rows.shape[1]]
    with paper_style():
        column = Column(
            [Place(panel.rows.shape[1] * panel.row_height, panel.group) for panel in panels],
            tape.steps,
            title=bool(title),
            head_names=any(panel.heads > 1 for panel in panels),
        )
        images = [_draw(panel, axes, column) for panel, axes in zip(panels, column.panels, strict=True)]
        for panel, axes in zip(panels, column.panels, strict=True):
            if panel.group == "weight":
                _slot_axis(axes, panel, window, column)
        _colour_bars(column, panels, images)
        _time_axis(column)
        _answer(column, tape)
        if title:
            column.figure.text(
                _NAME_AT * DPI / column.width, 1 - 10 / column.height, title, fontsize=9, va="top", ha="left"
            )
    return column.figure


def _panels(tape: Tape, window: SlotWindow) -> list[_Panel]:
    bit_height = row_pixels(max(tape.inputs.shape[1], tape.outputs.shape[1]), _BITS_BUDGET, most=14, least=3)
    targets = np.where(tape.scored[:, None], tape.targets, np.nan)
    inputs_limits = _bit_limits(tape.inputs)
    signed = inputs_limits[0] < 0
    largest = _rounded_up(max(_largest(tape.adds), _largest(tape.reads)))
    peak = max(_largest(tape.write_weights), _largest(tape.read_weights))
    weight_limits = (0.0, 1.0 if peak > _FULL_SCALE_FROM else _rounded_up(peak))

    def bits(name: str, rows: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> _Panel:
        own_scale = limits != (0.0, 1.0)
        colours = SIGNED if own_scale and signed else GREY
        return _Panel(name, rows, 1, bit_height, "input" if own_scale else "bit", colours, limits)

    def vectors(name: str, values: np.ndarray) -> _Panel:
        heads = max(values.shape[1], 1)
        height = row_pixels(values.shape[1] * values.shape[2], _budget(_VECTORS_BUDGET, heads), most=10, least=2)
        return _Panel(name, _stacked(values), heads, height, "value", SIGNED, (-largest, largest))

    def weights(name: str, values: np.ndarray) -> _Panel:
        heads = max(values.shape[1], 1)
        shown = values[:, :, window.order]
        height = row_pixels(heads * len(window.order), _budget(_SLOTS_BUDGET, heads), most=8)
        return _Panel(name, _stacked(shown), heads, height, "weight", INK_ON_PAPER, weight_limits)

    return [
        bits("Inputs", tape.inputs, inputs_limits),
        bits("Outputs", tape.outputs),
        bits("Targets", targets),
        # Both on one scale, so that a vector that is read can be compared with the vector that was added.
        vectors("Adds", tape.adds),
        vectors("Reads", tape.reads),
        weights("Write\nweights", tape.write_weights),
        weights("Read\nweights", tape.read_weights),
    ]


def _draw(panel: _Panel, axes: Axes, column: Column) -> AxesImage:
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
    box = axes.get_position()
    column.figure.text(_NAME_AT * DPI / column.width, (box.y0 + box.y1) / 2, panel.name, va="center", ha="left")
    axes.set_label(panel.name.replace("\n", " "))
    for head in range(panel.heads if panel.heads > 1 else 0):
        middle = (head + 0.5) / panel.heads
        muted(axes.text(1.0, 1 - middle, f" head {head + 1}", transform=axes.transAxes, va="center", ha="left"))
        if head:
            axes.axhline(head * panel.rows_per_head - 0.5, color=MUTED, linewidth=0.5)
    return image


def _slot_axis(axes: Axes, panel: _Panel, window: SlotWindow, column: Column) -> None:
    per_head = panel.rows_per_head
    least = min(_SLOT_TICKS_APART, per_head * panel.row_height // 3)
    apart = next(step for step in (2**power for power in range(31)) if step * panel.row_height >= least)
    places = [
        (head * per_head + place, str(slot))
        for head in range(panel.heads)
        for place, slot in enumerate(window.order)
        if slot % apart == 0
    ]
    axes.set_yticks([place for place, _ in places], [label for _, label in places], fontsize=SMALL)
    axes.set_ylabel(window.label, fontsize=SMALL, color=MUTED, linespacing=1.1)
    axes.yaxis.set_label_coords(-54 / column.span, 0.5)
    if window.seam is not None:
        for head in range(panel.heads):
            axes.axhline(head * per_head + window.seam - 0.5, color=MUTED, linewidth=0.5, linestyle=(0, (1, 1.5)))


def _colour_bars(column: Column, panels: list[_Panel], images: list[AxesImage]) -> None:
    for group in column.groups:
        image, panel = next((image, panel) for image, panel in zip(images, panels, strict=True) if panel.group == group)
        least, most = panel.limits
        bar = Colorbar(column.bar(group), image, ticks=[least, 0, most] if least < 0 else [least, most])
        bar.ax.set_yticklabels(
            [f"{tick:.2g}".replace("-", "\N{MINUS SIGN}") for tick in bar.get_ticks()], fontsize=SMALL
        )
        bar.ax.tick_params(length=1.5, pad=1.5)
        bar.outline.set_linewidth(0.5)
        bar.set_label("probability" if group == "bit" else group, fontsize=SMALL, color=MUTED)
        bar.ax.yaxis.set_label_coords(70 / 12, 0.5)


def _time_axis(column: Column) -> None:
    lowest = column.panels[-1]
    lowest.tick_params(axis="x", bottom=True, labelbottom=True)
    lowest.xaxis.set_major_locator(MaxNLocator(nbins=max(2, column.span // 110), integer=True, steps=[1, 2, 5, 10]))
    lowest.set_xlabel("time step")
    lowest.set_xlim(-0.5, column.steps - 0.5)


def _answer(column: Column, tape: Tape) -> None:
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


def _budget(pixels: int, heads: int) -> int:
    return pixels if heads < 2 else pixels * 3 // 2


def _by_row(weights: Float[np.ndarray, "time heads slots"]) -> Float[np.ndarray, "rows slots"]:
    return weights.reshape(-1, weights.shape[2])


def _stacked(values: Float[np.ndarray, "time heads size"]) -> Float[np.ndarray, "time rows"]:
    return values.reshape(len(values), -1)


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0.0))


def _bit_limits(values: np.ndarray) -> tuple[float, float]:
    most = _rounded_up(max(1.0, _largest(values)))
    return (-most if values.min(initial=0.0) < 0 else 0.0, most)


def _rounded_up(value: float) -> float:
    """Return the next number of two digits, so that the end of a colour bar is what its label says."""
    if value == 0:
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit - 1e-9) * unit
