"""Slot window: choose the slots to draw."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

TOUCHED = 0.02
"""A slot counts as used if the weight of a head exceeds this value, that of a uniform weighting over 50 slots."""

_MARGIN = 2
_LEAST_SHOWN = 16

LARGEST_ARC = 640
"""If the arc is longer, as with sparse memories, only the used slots are drawn."""

# A crop that omits a smaller fraction of the slots saves too little height.
_LEAST_SPARED = 0.2


@dataclass(frozen=True, eq=False)
class SlotWindow:
    """The slots to draw, in their order on the ring.

    Shifting heads move from the last slot to slot 0, so an arc may cross that boundary; the numbers are those of the
    memory. If the used slots are far apart, the window consists of these slots only.
    """

    order: Int[np.ndarray, " shown"]
    total: int

    @property
    def arc(self) -> bool:
        """Whether each slot follows the slot above it."""
        return bool((np.diff(self.order) % self.total == 1).all())

    @property
    def seam(self) -> int | None:
        """Position of slot 0 in the order if it follows the last slot, else None."""
        falls = np.flatnonzero(np.diff(self.order) < 0)
        return int(falls[0]) + 1 if falls.size else None

    def label(self, name: str = "slot") -> str:
        """Return the label of a slot axis, which always states a crop.

        Args:
            name: name of the axis.
        """
        if len(self.order) == self.total:
            return name
        if not self.arc:
            return f"{name}\n({len(self.order)} of {self.total})"
        return f"{name}\n({self.order[0]}\N{EN DASH}{self.order[-1]} of {self.total})"


def every_slot(total: int) -> SlotWindow:
    """Return the window of all slots.

    Args:
        total: number of slots of the memory.
    """
    return SlotWindow(order=np.arange(total), total=total)


def touched_slots(weights: Float[np.ndarray, "rows slots"]) -> SlotWindow:
    """Return the shortest arc of the ring with all used slots and a small margin, or only the used slots if it is long.

    Args:
        weights: one row for each head and step.
    """
    total = weights.shape[1]
    touched = np.flatnonzero((weights > TOUCHED).any(axis=0))
    if not touched.size:
        return every_slot(total)
    following = np.append(touched[1:], touched[0] + total)
    widest = int(np.argmax(following - touched))
    first, last = int(following[widest]) % total, int(touched[widest])
    needed = (last - first) % total + 1
    if needed > LARGEST_ARC:
        return SlotWindow(order=touched, total=total)
    shown = max(needed + 2 * _MARGIN, _LEAST_SHOWN)
    if shown > total * (1 - _LEAST_SPARED):
        return every_slot(total)
    over_the_seam = last < first
    first -= (shown - needed) // 2
    if not over_the_seam:
        first = min(max(first, 0), total - shown)
    return SlotWindow(order=np.arange(first, first + shown) % total, total=total)
