"""View axes: find the slot axes of a view, and choose the slots to draw."""

import numpy as np

from memtape.core.view import SLOT, View
from memtape.viz.slot_window import SlotWindow, every_slot, touched_slots


def is_slot_axis(name: str) -> bool:
    """Return whether the entries of an axis are slots.

    Args:
        name: name of the axis, such as "slot" or "right after slot".
    """
    return name.split()[-1:] == [SLOT]


def slots_of(views: tuple[View, ...]) -> int:
    """Return the number of slots of a memory, or 0 if its views have none.

    Args:
        views: the views.
    """
    sizes = [
        size
        for view in views
        for name, size in zip(view.axes, view.values.shape[1:], strict=True)
        if is_slot_axis(name)
    ]
    return sizes[0] if sizes else 0


def window_of(views: tuple[View, ...], *, crop: bool) -> SlotWindow:
    """Return the slots to draw: those with some weight.

    Args:
        views: the views of a sequence.
        crop: omit slots without weight, if that saves space.
    """
    total = slots_of(views)
    weights = [
        view.values.reshape(-1, total)
        for view in views
        if view.scale == "share" and not view.matrix and is_slot_axis(view.axes[-1])
    ]
    return touched_slots(np.concatenate(weights)) if crop and weights and total else every_slot(total)


def cropped(view: View, window: SlotWindow) -> np.ndarray:
    """Return the values of a view at the slots of a window.

    Args:
        view: the view.
        window: the slots to draw.
    """
    values: np.ndarray = view.values
    for place, name in enumerate(view.axes, start=1):
        if is_slot_axis(name):
            values = values.take(window.order, axis=place)
    return values
