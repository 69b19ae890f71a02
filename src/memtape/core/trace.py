"""Trace: what a network does in each step of one sequence: inputs, outputs and the views of its memory."""

import importlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks, growth, state_tree
from memtape.core.cell import AnyCell
from memtape.core.extra import importing
from memtape.core.symbols import vectors_of
from memtape.core.view import View, Views

FIGURE = "memtape.viz.trace_figure"
"""The module that draws a trace, loaded by name at the first figure: this floor needs no matplotlib."""


@dataclass(frozen=True, eq=False)
class Trace:
    """The steps of one sequence.

    Attributes:
        inputs: the inputs as vectors, shape (time, input).
        outputs: the outputs, shape (time, output), as the network returns them.
        views: the views of its memory, arrays with time as the first axis; a matrix has one step, the last. A network without
            an external memory has none.
        state: the state after the last step, of a batch of one.
    """

    inputs: Float[np.ndarray, "time input"]
    outputs: Float[np.ndarray, "time output"]
    views: Views
    state: Any

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return len(self.inputs)

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the array of a view by its name, such as `trace["read_weights"]`.

        Raises:
            KeyError: there is no such view.
        """
        arrays: dict[str, np.ndarray] = {view.name: view.values for view in self.views}
        if name not in arrays:
            names = ", ".join(arrays) or "none, as the network has no external memory"
            raise KeyError(f"the trace has no view {name!r}; its views are {names}")
        return arrays[name]

    def __repr__(self) -> str:
        """Return the number of steps and the names of the views."""
        return f"Trace({self.steps} steps, views: {', '.join(view.name for view in self.views) or 'none'})"

    def figure(self, *, title: str = "", crop_slots: bool = True) -> Any:
        """Draw inputs, outputs and views on one time axis, and return the figure of matplotlib.

        Args:
            title: a line above the panels.
            crop_slots: show only the slots that a head used, if that saves space; the axis states the crop.

        Raises:
            MissingPackageError: matplotlib is not installed.
            ValueError: a number is not finite.
        """
        with importing("Trace.figure"):
            drawing = importlib.import_module(FIGURE)
        return drawing.trace_figure(self, title=title, crop_slots=crop_slots)


@torch.no_grad()
def traced(cell: AnyCell, xs: Tensor, state: Any = None, *, lengths: Any = None, row: int = 0) -> Trace:
    """Run a cell over one sequence of a batch, step by step; its parameters get no gradient.

    Args:
        cell: the cell.
        xs: the inputs, as those of `unroll`.
        state: the state of the batch before the first step; None for the initial state.
        lengths: number of valid steps of each row.
        row: the row of the batch.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has the wrong shape, dtype, device or value, or the row has no steps.
    """
    cell, vectors = vectors_of(cell, xs, lengths)
    checks.sequences(cell, vectors)
    batch, time = vectors.shape[:2]
    row = _row(row, batch)
    if lengths is not None:
        time = int(checks.lengths_of(vectors, lengths)[row])
        if not time:
            raise ValueError(f"row {row} has length 0, so there is no step to trace; choose another row")
    vectors = vectors[row : row + 1, :time]
    checks.finite(vectors)
    initial = cell.init_state(batch, device=vectors.device, dtype=vectors.dtype)
    if state is not None:
        checks.state_for(cell, state, growth.as_large(initial, state), batch)
    state = growth.with_room(state_tree.rows(initial if state is None else state, row, row + 1), time)
    outputs, steps, matrices = [], [], []
    for x in vectors.unbind(1):
        views = cell.views(x, state)
        steps.append([view for view in views if not view.matrix])
        matrices = [view for view in views if view.matrix]
        y, moved = cell(x, state)
        state = growth.cut(moved, state)
        outputs.append(y)
    over_time = {views[0].name: _over_time(views) for views in zip(*steps, strict=True)}
    at_the_end = {view.name: _over_time([view]) for view in matrices}
    return Trace(
        inputs=_array(vectors[0]),
        outputs=_array(torch.cat(outputs)),
        views=tuple((over_time | at_the_end)[view.name] for view in views),
        state=state,
    )


def _row(row: Any, batch: int) -> int:
    if isinstance(row, bool) or not isinstance(row, int):
        raise TypeError(f"row is {row!r}, but it is the number of a row; give an integer in 0..{batch - 1}")
    if not 0 <= row < batch:
        raise ValueError(f"row is {row}, but the batch has {batch} rows; give a number in 0..{batch - 1}")
    return row


def _over_time(views: Any) -> View:
    """Stack one view of the first row over time, from the views of single steps."""
    return replace(views[0], values=_array(torch.stack([view.values[0] for view in views])))


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()
