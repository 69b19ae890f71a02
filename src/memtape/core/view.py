"""View: a named array that shows what a network did in one step, for figures, reports and pages."""

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
"""The range of the values of each scale."""

HEAD, SLOT = "head", "slot"
"""The names of axes that figures treat specially."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """Describe an array so that a figure can draw it without knowledge of the memory.

    A view has the values of one step. A figure of a sequence draws one column for each step; of a matrix it draws the
    last step only.

    Args:
        name: name of the view, unique among the views of a memory. Figures of graphs use "write_weights" and
            "read_weights", both with the axes ("head", "slot").
        title: title in the figure.
        values: a tensor of shape (batch, *axes); of a recorded sequence a numpy array of shape (time, *axes).
        axes: names of the axes after the first. A leading "head" makes a block for each head. An axis whose name ends
            in the word "slot" has numbered entries, and shows only the slots that are in use. After the heads there are
            at most two axes; two make a matrix.
        scale: "share", values in 0..1 that are parts of a whole, with a colour scale up to the largest value if all are
            small; "level", values in 0..1, such as gates, on the full scale; "amount", values of at least 0; "signed",
            any values.
        measure: label of the colour bar; neighbouring views of the same measure share one.
        entries: names of the entries of the last axis; empty for none.

    Raises:
        ValueError: the scale is unknown, there are more than two axes after the heads, or values or entries do not
            match the axes.

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
        """Check that a figure can draw the view."""
        shape, axes = tuple(self.values.shape), ", ".join(self.axes)
        if self.scale not in get_args(Scale):
            raise ValueError(
                f"the scale of the view {self.name!r} is {self.scale!r}, but it must be one of {list(RANGES)}; "
                "choose one of them"
            )
        if len(shape) != len(self.axes) + 1:
            raise ValueError(
                f"the values of the view {self.name!r} have shape {shape}, but its axes are (batch, {axes}); "
                "name each axis after the batch"
            )
        if len(self._inner) > 2 or HEAD in self._inner:
            raise ValueError(
                f"the axes of the view {self.name!r} are ({axes}), but a figure draws one or two axes after a leading "
                f"{HEAD!r}; reshape the values or make several views"
            )
        if self.entries and (not self.axes or len(self.entries) != shape[-1]):
            raise ValueError(
                f"the view {self.name!r} has {len(self.entries)} names of entries, but its values have shape {shape}; "
                "name each entry of the last axis"
            )

    @property
    def matrix(self) -> bool:
        """Whether the values of one step are a matrix; a figure then shows the last step only."""
        return len(self._inner) == 2

    @property
    def heads(self) -> int:
        """The number of heads, 1 for values without a head axis."""
        return int(self.values.shape[1]) if self.axes[:1] == (HEAD,) else 1

    @property
    def range(self) -> tuple[float, float]:
        """The range of the values."""
        return RANGES[self.scale]

    @property
    def _inner(self) -> tuple[str, ...]:
        return self.axes[1:] if self.axes[:1] == (HEAD,) else self.axes


Views = tuple[View, ...]
"""The views of one step, in the order in which they are drawn."""
