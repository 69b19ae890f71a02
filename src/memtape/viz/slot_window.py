"""Slot window: which slots are worth drawing."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

TOUCHED = 0.02
"""A slot counts as touched once a head gives it more than this weight, that of an even spread over 50 slots."""

_MARGIN = 2
_LEAST_SHOWN = 16

LARGEST_ARC = 640
"""Of a longer arc, as sparse memories touch, only the touched slots are drawn."""

# Below this share of slots to leave out, a crop spares too little height to be worth explaining.
_LEAST_SPARED = 0.2


@dataclass(frozen=True, eq=False)
class SlotWindow:
    """Name the slots that are drawn, in the order in which they stand on the ring.

    Shifting heads step from the last slot to slot 0, so an arc may run over that seam; the numbers stay those of the
    memory. Where the touched slots lie far apart, the window is no arc but these slots alone.
    """

    order: Int[np.ndarray, " shown"]
    total: int

    @property
    def arc(self) -> bool:
        """Whether each slot is the one after the slot above it."""
        return bool((np.diff(self.order) % self.total == 1).all())

    @property
    def seam(self) -> int | None:
        """Place in the order of slot 0 if it follows the last slot there, else None."""
        falls = np.flatnonzero(np.diff(self.order) < 0)
        return int(falls[0]) + 1 if falls.size else None

    def label(self, name: str = "slot") -> str:
        """Return what to write at a slot axis: a crop is always stated.

        Args:
            name: name of the axis.
        """
        if len(self.order) == self.total:
            return name
        if not self.arc:
            return f"{name}\n({len(self.order)} of {self.total})"
        return f"{name}\n({self.order[0]}\N{EN DASH}{self.order[-1]} of {self.total})"


def every_slot(total: int) -> SlotWindow:
    """Return the window that leaves no slot out.

    Args:
        total: number of slots of the memory.
    """
    return SlotWindow(order=np.arange(total), total=total)


def touched_slots(weights: Float[np.ndarray, "rows slots"]) -> SlotWindow:
    """Return the shortest arc of the ring that holds every touched slot, with a small margin; if it is long, these slots alone.

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
