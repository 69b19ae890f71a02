"""Tape: the record of one sequence, step by step, as arrays on one time axis."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from memtape.core.view import View
from memtape.viz.arrays import check_arrays
from memtape.viz.view_axes import is_slot_axis

_AXES = {
    "inputs": ("time", "input"),
    "outputs": ("time", "output"),
    "targets": ("time", "output"),
    "scored": ("time",),
}


@dataclass(frozen=True, eq=False)
class Tape:
    """The record of one sequence: inputs, outputs, targets, and the views of every step.

    Raises:
        TypeError: a field or a view is not an array of floats, or `scored` is not boolean.
        ValueError: two arrays have different lengths on a shared axis, two views have the same name, a number is not
            finite, or a probability or a number of a view is out of its range.
    """

    inputs: Float[np.ndarray, "time input"]
    outputs: Float[np.ndarray, "time output"]
    """Probabilities that a bit is 1."""
    targets: Float[np.ndarray, "time output"]
    scored: Bool[np.ndarray, " time"]
    """Which steps belong to the answer."""
    views: tuple[View, ...] = ()
    """The views of the memory, from top to bottom: arrays of shape (time, *axes); a matrix has one step, the last."""

    def __post_init__(self) -> None:
        """Raise an error unless the fields fit together."""
        ((name, count),) = Counter([*_AXES, *(view.name for view in self.views)]).most_common(1)
        if count > 1:
            raise ValueError(
                f"the tape has {count} arrays of the name {name!r}, but names must be unique; give each view its own"
            )
        arrays = {name: getattr(self, name) for name in _AXES}
        axes = dict(_AXES)
        ranges = {"outputs": ((0.0, 1.0), "pass the sigmoid of the logits")}
        for view in self.views:
            arrays[view.name] = view.values
            own = ("slots" if is_slot_axis(axis) else f"{axis} of {view.name}" for axis in view.axes)
            axes[view.name] = ("last step" if view.matrix else "time", *own)
            ranges[view.name] = (view.range, f'pass such numbers, or a view of another scale than "{view.scale}"')
        check_arrays("tape", arrays, axes, truths=("scored",), ranges=ranges, sizes={"last step": (1, "a matrix")})

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return len(self.inputs)

    @property
    def wrong(self) -> Bool[np.ndarray, "time output"]:
        """Whether each scored bit is wrong when outputs are rounded at one half."""
        return ((self.outputs > 0.5) != (self.targets > 0.5)) & self.scored[:, None]

    def view(self, name: str) -> np.ndarray | None:
        """Return the array of a view, or None if there is no such view.

        Args:
            name: its name.
        """
        return next((view.values for view in self.views if view.name == name), None)
