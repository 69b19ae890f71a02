"""View: a named array of what a network did in one step, as figures, reports and pages draw it."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

Scale = Literal["share", "level", "amount", "signed"]

RANGES: dict[Scale, tuple[float, float]] = {
    "share": (0.0, 1.0),
    "level": (0.0, 1.0),
    "amount": (0.0, math.inf),
    "signed": (-math.inf, math.inf),
}
"""What the numbers of each scale lie between."""

HEAD, SLOT = "head", "slot"
"""The names of axes that mean something to a figure."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """An array that is worth seeing, with everything that a figure needs to draw it without knowing the memory.

    A view has the values of one step. Over a sequence a figure draws them side by side, a column for each step; of a matrix it
    draws the last step alone.

    Args:
        name: how it is found, unique among the views of a memory. Figures of graphs look for "write_weights" and
            "read_weights", both with the axes ("head", "slot").
        title: what is written beside it.
        values: a tensor of shape (batch, *axes); of a recorded sequence a numpy array of shape (time, *axes).
        axes: names of the axes behind the first. A leading "head" makes a block for each head. A name whose last word is "slot"
            numbers its entries, and shows only the slots that are in use. Behind the heads there are at most two axes; two make
            a matrix.
        scale: "share", numbers in 0..1 that are parts of a whole, whose colours end at the largest if all are small; "level",
            numbers in 0..1, such as gates, on the full scale; "amount", numbers from 0 on; "signed", any numbers.
        measure: what the numbers are, written at the colour bar; neighbouring views of the same measure share one.
        entries: names of the entries of the last axis, if they have any.

    Raises:
        ValueError: an unknown scale, more than two axes behind the heads, or values or entries that do not fit the axes.

    Example:
        >>> import torch
        >>> gates = View(name="gates", title="Gates", values=torch.rand(4, 2), axes=("head",), scale="level", measure="gate")
        >>> gates.heads, gates.matrix
        (2, False)
    """

    name: str
    title: str
    values: Any
    axes: tuple[str, ...]
    scale: Scale
    measure: str
    entries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        shape, axes = tuple(self.values.shape), ", ".join(self.axes)
        if self.scale not in get_args(Scale):
            raise ValueError(
                f"the scale of the view {self.name!r} is {self.scale!r}, but it must be one of {list(RANGES)}; "
                "choose one of them"
            )
        if len(shape) != len(self.axes) + 1:
            raise ValueError(
                f"the values of the view {self.name!r} have shape {shape}, but its axes are (batch, {axes}); "
                "give each axis behind the batch a name"
            )
        if len(self._inner) > 2 or HEAD in self._inner:
            raise ValueError(
                f"the axes of the view {self.name!r} are ({axes}), but a figure draws one or two axes behind a leading "
                f"{HEAD!r}; reshape the values or make several views"
            )
        if self.entries and (not self.axes or len(self.entries) != shape[-1]):
            raise ValueError(
                f"the view {self.name!r} has {len(self.entries)} names of entries, but its values have shape {shape}; "
                "name each entry of the last axis"
            )

    @property
    def matrix(self) -> bool:
        """Whether a single step is a matrix already, of which a figure shows the last step alone."""
        return len(self._inner) == 2

    @property
    def heads(self) -> int:
        """The number of heads, 1 for what belongs to no head."""
        return int(self.values.shape[1]) if self.axes[:1] == (HEAD,) else 1

    @property
    def range(self) -> tuple[float, float]:
        """What the values lie between."""
        return RANGES[self.scale]

    @property
    def _inner(self) -> tuple[str, ...]:
        return self.axes[1:] if self.axes[:1] == (HEAD,) else self.axes


Views = tuple[View, ...]
"""The views of one step, in the order in which they are drawn."""
