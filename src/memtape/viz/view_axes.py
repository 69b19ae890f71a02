"""View axes: which axes of a view are slots, and which of its slots are drawn."""

import numpy as np

from memtape.core.view import SLOT, View
from memtape.viz.slot_window import SlotWindow, every_slot, touched_slots


def is_slot_axis(name: str) -> bool:
    """Tell whether the entries of an axis are slots.

    Args:
        name: name of the axis, such as "slot" or "right after slot".
    """
    return name.split()[-1:] == [SLOT]


def slots_of(views: tuple[View, ...]) -> int:
    """Return the number of slots of a memory, 0 of one whose views show none.

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
    """Return which slots are worth drawing: those that get some weight.

    Args:
        views: the views of a sequence.
        crop: leave out the slots that no weight touches, if that spares room.
    """
    total = slots_of(views)
    weights = [
        view.values.reshape(-1, total)
        for view in views
        if view.scale == "share" and not view.matrix and is_slot_axis(view.axes[-1])
    ]
    return touched_slots(np.concatenate(weights)) if crop and weights and total else every_slot(total)


def cropped(view: View, window: SlotWindow) -> np.ndarray:
    """Return the values of a view with nothing but the slots of a window.

    Args:
        view: the view.
        window: the slots to draw.
    """
    values: np.ndarray = view.values
    for place, name in enumerate(view.axes, start=1):
        if is_slot_axis(name):
            values = values.take(window.order, axis=place)
    return values
