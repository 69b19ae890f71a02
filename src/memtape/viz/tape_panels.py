"""Tape panels: the contents of each panel of a tape, from top to bottom."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Float
from matplotlib.colors import Colormap

from memtape.core.view import Scale, View
from memtape.viz.slot_window import SlotWindow
from memtape.viz.style import GREY, INK_ON_PAPER, SIGNED
from memtape.viz.tape import Tape
from memtape.viz.tape_layout import row_pixels
from memtape.viz.view_axes import cropped, is_slot_axis

_BITS_BUDGET, _VECTORS_BUDGET, _SLOTS_BUDGET, _GATES_BUDGET, _ENTRIES_BUDGET = 130, 130, 300, 120, 300
"""Height of one panel in pixels; panels of vectors and slots with two heads or more have half as much again."""

_LONGEST_TITLE = 17
"""Characters of a title that fit into one line."""

_MOST_SLOT_ROWS = 640
"""Largest number of slot rows of one panel; beyond it, as for many heads on a large memory, heads share their rows."""

_NAMED_ROW = 20
"""Pixels of height of one gate, or of another row that can be named."""

# A softmax over many slots peaks far below 1; then the scale ends at the peak, as shown by the colour bar.
_FULL_SCALE_FROM = 0.5

COLOURS: dict[Scale, Colormap] = {
    "share": INK_ON_PAPER,
    "level": INK_ON_PAPER,
    "amount": INK_ON_PAPER,
    "signed": SIGNED,
}
"""The colours of each scale of a view."""


@dataclass(frozen=True, eq=False)
class Panel:
    """The contents of one panel: rows over time, in equal blocks of rows for each head."""

    title: str
    rows: Float[np.ndarray, "time rows"]
    heads: int
    row_height: int
    group: str
    """Panels of a group are adjacent and share a colour bar."""
    measure: str
    """The label of the colour bar."""
    colours: Colormap
    limits: tuple[float, float]
    row_names: tuple[str, ...] = ()
    """Names of the rows of one head, if they have any."""
    slots: bool = False
    """Whether the rows are slots."""

    @property
    def rows_per_head(self) -> int:
        """Number of rows of each head."""
        return self.rows.shape[1] // self.heads


def panels_of(tape: Tape, window: SlotWindow) -> list[Panel]:
    """Return the panels of a tape; panels without values have no rows.

    Args:
        tape: the sequence.
        window: the slots to draw.
    """
    return [*_bit_panels(tape), *panels_of_views(tape.views, window)]


def panels_of_views(views: Sequence[View], window: SlotWindow) -> list[Panel]:
    """Return a panel for each view that is not a matrix; neighbours of the same measure share a group.

    Args:
        views: the views.
        window: the slots to draw.
    """
    over_time = [view for view in views if not view.matrix]
    groups = groupby(over_time, key=lambda view: (view.measure, view.scale))
    return [
        _panel(view, window, limits_of(group), f"{number}")
        for number, group in enumerate(list(group) for _, group in groups)
        for view in group
    ]


def limits_of(views: Sequence[View]) -> tuple[float, float]:
    """Return the limits of the colours of views that share a scale.

    Args:
        views: the views, all of one scale.
    """
    largest = max(_largest(view.values) for view in views)
    match views[0].scale:
        case "signed":
            return -_rounded_up(largest), _rounded_up(largest)
        case "amount":
            return 0.0, _rounded_up(largest)
        case "share" if largest <= _FULL_SCALE_FROM:
            return 0.0, _rounded_up(largest)
    return 0.0, 1.0


def _bit_panels(tape: Tape) -> list[Panel]:
    height = row_pixels(max(tape.inputs.shape[1], tape.outputs.shape[1]), _BITS_BUDGET, most=14, least=3)
    targets = np.where(tape.scored[:, None], tape.targets, np.nan)

    def panel(title: str, rows: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> Panel:
        own = limits != (0.0, 1.0)
        return Panel(
            title,
            rows,
            heads=1,
            row_height=height,
            group="input" if own else "bit",
            measure="input" if own else "probability",
            colours=SIGNED if limits[0] < 0 else GREY,
            limits=limits,
        )

    return [
        panel("Inputs", tape.inputs, _bit_limits(tape.inputs)),
        panel("Outputs", tape.outputs),
        panel("Targets", targets),
    ]


def _panel(view: View, window: SlotWindow, limits: tuple[float, float], group: str) -> Panel:
    values, title = cropped(view, window), view.title
    slots = is_slot_axis(view.axes[-1]) if view.axes else False
    heads = max(view.heads, 1)
    # Beside names of rows or numbers of slots there is space for a narrow title only.
    if slots or view.entries or len(title) > _LONGEST_TITLE:
        title = title.replace(" ", "\n", 1)
    if slots and heads > 1 and heads * values.shape[-1] > _MOST_SLOT_ROWS:
        values, title, heads = values.max(axis=1), f"{title},\nlargest\nof {heads}", 1
    rows = values.reshape(len(values), -1)
    if slots:
        height = row_pixels(rows.shape[1], _budget(_SLOTS_BUDGET, heads), most=8)
    elif view.scale == "signed":
        height = row_pixels(rows.shape[1], _budget(_VECTORS_BUDGET, heads), most=10, least=2)
    else:
        budget = _ENTRIES_BUDGET if view.entries else _GATES_BUDGET
        height = row_pixels(rows.shape[1], budget, most=_NAMED_ROW, least=4)
    return Panel(
        title=title,
        rows=rows,
        heads=heads,
        row_height=height,
        group=group,
        measure=view.measure,
        colours=COLOURS[view.scale],
        limits=limits,
        row_names=view.entries,
        slots=slots,
    )


def _budget(pixels: int, heads: int) -> int:
    return pixels if heads < 2 else pixels * 3 // 2


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0.0))


def _bit_limits(values: np.ndarray) -> tuple[float, float]:
    most = _rounded_up(max(1.0, _largest(values)))
    return (-most if values.min(initial=0.0) < 0 else 0.0, most)


def _rounded_up(value: float) -> float:
    """Round up to two digits, so that the end of a colour bar equals its label."""
    if value == 0:
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit - 1e-9) * unit
