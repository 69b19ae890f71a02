"""Tape panels: what each panel of a tape shows, from top to bottom."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.colors import Colormap

from memtape.viz.slot_window import SlotWindow, every_slot, touched_slots
from memtape.viz.style import GREY, INK_ON_PAPER, SIGNED
from memtape.viz.tape import Tape
from memtape.viz.tape_layout import row_pixels

_BITS_BUDGET, _VECTORS_BUDGET, _SLOTS_BUDGET = 130, 130, 300
"""Pixels of height for one panel; two heads or more share half as many again."""

# A softmax spread over many slots peaks far below 1; then the scale ends at the peak, and the colour bar says so.
_FULL_SCALE_FROM = 0.5


@dataclass(frozen=True, eq=False)
class Panel:
    """Say what one panel shows: rows over time, in blocks of as many rows for each head."""

    name: str
    rows: Float[np.ndarray, "time rows"]
    heads: int
    row_height: int
    group: str
    """Panels of a group share a colour bar, which has its name."""
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


def window_of(tape: Tape, *, crop: bool) -> SlotWindow:
    """Return which slots are worth drawing.

    Args:
        tape: the sequence.
        crop: leave out the slots that no head touched, if that spares room.
    """
    weights = np.concatenate([_by_row(tape.write_weights), _by_row(tape.read_weights)])
    return touched_slots(weights) if crop and weights.size else every_slot(tape.slots)


def panels_of(tape: Tape, window: SlotWindow) -> list[Panel]:
    """Return the panels of a tape; those that have nothing to show have no rows.

    Args:
        tape: the sequence.
        window: the slots to draw.
    """
    bit_height = row_pixels(max(tape.inputs.shape[1], tape.outputs.shape[1]), _BITS_BUDGET, most=14, least=3)
    targets = np.where(tape.scored[:, None], tape.targets, np.nan)
    inputs_limits = _bit_limits(tape.inputs)
    signed = inputs_limits[0] < 0
    largest = _rounded_up(max(_largest(tape.adds), _largest(tape.reads)))
    weight_limits = scale_of(tape.write_weights, tape.read_weights)

    def bits(name: str, rows: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> Panel:
        own_scale = limits != (0.0, 1.0)
        colours = SIGNED if own_scale and signed else GREY
        return Panel(name, rows, 1, bit_height, "input" if own_scale else "bit", colours, limits)

    def vectors(name: str, values: np.ndarray) -> Panel:
        heads = max(values.shape[1], 1)
        height = row_pixels(values.shape[1] * values.shape[2], _budget(_VECTORS_BUDGET, heads), most=10, least=2)
        return Panel(name, _stacked(values), heads, height, "value", SIGNED, (-largest, largest))

    def weights(name: str, values: np.ndarray) -> Panel:
        heads = max(values.shape[1], 1)
        shown = values[:, :, window.order]
        height = row_pixels(heads * len(window.order), _budget(_SLOTS_BUDGET, heads), most=8)
        return Panel(name, _stacked(shown), heads, height, "weight", INK_ON_PAPER, weight_limits, slots=True)

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


def scale_of(*weights: np.ndarray) -> tuple[float, float]:
    """Return the ends of a scale for numbers from 0 to 1, which ends early if all of them are small.

    Args:
        weights: the numbers.
    """
    peak = max(map(_largest, weights))
    return 0.0, 1.0 if peak > _FULL_SCALE_FROM else _rounded_up(peak)


def usage_panel(name: str, usage: Float[np.ndarray, "time slots"], window: SlotWindow) -> Panel:
    """Return a panel of one number for each slot.

    Args:
        name: name of the panel.
        usage: the numbers, from 0 to 1.
        window: the slots to draw.
    """
    shown = usage[:, window.order]
    height = row_pixels(len(window.order), _SLOTS_BUDGET, most=8)
    return Panel(name, shown, 1, height, "usage", INK_ON_PAPER, (0.0, 1.0), slots=True)


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
