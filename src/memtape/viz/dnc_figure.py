"""DNC figure: a tape, what the heads were told about free slots and links, and the links that came of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from memtape.viz.dnc_tape import DNCTape
from memtape.viz.panel_drawing import draw_bar, draw_panels, name_panel, slot_ticks
from memtape.viz.slot_window import SlotWindow
from memtape.viz.style import INK_ON_PAPER, MUTED, SMALL, paper_style
from memtape.viz.tape_layout import Column, row_pixels, step_pixels
from memtape.viz.tape_panels import Panel, panels_of, scale_of, usage_panel, window_of

_GATE = 20
"""Pixels of height of one gate or mode of a head."""

_GATES_BUDGET, _MODES_BUDGET = 120, 300

_LINKS_BUDGET, _LINKS_GAP, _LINKS_ABOVE, _LINKS_BELOW = 320, 70, 40, 100
"""Pixels of the side of a link matrix at most, between two, above them and below them."""

_LINK_TICKS_APART = 60
"""Pixels between two numbers along the lower edge of a link matrix."""


def dnc_figure(record: DNCTape, *, title: str = "", crop_slots: bool = True) -> Figure:
    """Draw what one sequence went through in a Differentiable Neural Computer.

    Above are the panels of a tape, with the gates of the heads, the modes of the read heads and the usage of the slots; below
    are the links at the end, for each write head, a row for each slot: which slot was written right before it.

    Args:
        record: the sequence to draw.
        title: a line above the panels.
        crop_slots: show only the arc of slots that some head touched, if that spares room; the axis then says so.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, extended data figure 1.
    """
    tape, links = record.tape, record.links
    window = window_of(tape, crop=crop_slots)
    *shown, write_weights, read_weights = panels_of(tape, window)
    panels = [
        *shown,
        _gates("Write gates", record.write_gates),
        _gates("Allocation gates", record.allocation_gates),
        _gates("Free gates", record.free_gates),
        _modes(record.read_modes),
        write_weights,
        read_weights,
        usage_panel("Usage", record.usage, window),
    ]
    with paper_style():
        grid = _Grid.of(len(links), len(window.order), tape.steps)
        column = draw_panels(panels, tape, window, title=title, below=grid.height)
        _draw_links(column, links, window, grid)
    return column.figure


@dataclass(frozen=True)
class _Grid:
    """Where the link matrices stand below the time axis, in pixels."""

    matrices: int
    pixels: int
    side: int
    in_a_row: int

    @classmethod
    def of(cls, matrices: int, slots: int, steps: int) -> "_Grid":
        pixels = row_pixels(slots, _LINKS_BUDGET, most=12)
        side = pixels * slots
        return cls(matrices, pixels, side, max(1, (steps * step_pixels(steps) + _LINKS_GAP) // (side + _LINKS_GAP)))

    @property
    def rows(self) -> int:
        return -(-self.matrices // self.in_a_row)

    @property
    def height(self) -> int:
        return self.rows * (self.side + _LINKS_BELOW) + _LINKS_ABOVE if self.matrices else 0

    def place(self, number: int) -> tuple[int, int]:
        row, place = divmod(number, self.in_a_row)
        return place * (self.side + _LINKS_GAP), (self.rows - 1 - row) * (self.side + _LINKS_BELOW) + _LINKS_BELOW


def _gates(name: str, gates: Float[np.ndarray, "time heads"]) -> Panel:
    height = row_pixels(gates.shape[1], _GATES_BUDGET, most=_GATE, least=4)
    return Panel(name, gates, max(gates.shape[1], 1), height, "gate", INK_ON_PAPER, (0.0, 1.0))


def _modes(modes: Float[np.ndarray, "time heads modes"]) -> Panel:
    """Return the panel of the read modes, or one of no rows where heads read by content alone."""
    _, heads, ways = modes.shape
    writers = ways // 2
    numbers = [""] if writers == 1 else [f" {head + 1}" for head in range(writers)]
    names = (*(f"backward{n}" for n in numbers), "content", *(f"forward{n}" for n in numbers))
    rows = modes.reshape(len(modes), -1) if writers else modes[:, :0, 0]
    height = row_pixels(heads * ways, _MODES_BUDGET, most=_GATE, least=4)
    return Panel("Read\nmodes", rows, max(heads, 1), height, "mode", INK_ON_PAPER, (0.0, 1.0), row_names=names)


def _draw_links(column: Column, links: Float[np.ndarray, "heads slots slots"], window: SlotWindow, grid: _Grid) -> None:
    limits = scale_of(links) if len(links) else (0.0, 1.0)
    across, down = slot_ticks(window, grid.pixels, _LINK_TICKS_APART), slot_ticks(window, grid.pixels)
    for head, own in enumerate(links):
        left, bottom = grid.place(head)
        axes = column.add(left, bottom, grid.side, grid.side)
        shown = own[np.ix_(window.order, window.order)]
        image = axes.imshow(shown, aspect="auto", interpolation="none", cmap=INK_ON_PAPER, norm=Normalize(*limits))
        axes.set_xticks([place for place, _ in across], [name for _, name in across], fontsize=SMALL)
        axes.set_yticks([place for place, _ in down], [name for _, name in down], fontsize=SMALL)
        axes.set_xlabel("… right after slot", fontsize=SMALL, color=MUTED)
        if len(links) > 1:
            axes.set_title(f"head {head + 1}", fontsize=SMALL, color=MUTED, pad=2)
        if head:
            axes.set_label(f"Links of head {head + 1}")
            continue
        name_panel(axes, "Links\nat the end", column)
        axes.set_ylabel(f"{window.label}, written …", fontsize=SMALL, color=MUTED, linespacing=1.1)
        draw_bar(column.bar_beside(bottom, bottom + grid.side), image, limits, "link")
