"""Superposition: what stacks and lists share whose cells are means over all actions so far."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape import ops
from memtape.core.view import HEAD, View, Views

Pushed = Literal["linear", "sigmoid", "tanh"]
PUSHED: Mapping[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda raw: raw,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
"""The activation functions of pushed and inserted values."""


def rounded_if(
    rounded: bool, actions: Float[Tensor, "batch several actions"]
) -> Float[Tensor, "batch several actions"]:
    """Return actions as they are, or 1 for the most probable action and 0 for the others.

    Args:
        rounded: whether to round.
        actions: the probabilities of the actions of each stack or list.
    """
    return ops.one_hot_of_largest(actions) if rounded else actions


def visible_cells(
    cells: Float[Tensor, "batch several depth width"], visible: int, *, empty: float
) -> Float[Tensor, "batch read"]:
    """Return the first cells of all stacks or lists, concatenated.

    Args:
        cells: the cells, as differences to an empty cell.
        visible: number of cells of each stack or list.
        empty: value of an empty cell.
    """
    enough = functional.pad(cells, (0, 0, 0, visible))
    return (empty + enough.narrow(-2, 0, visible)).flatten(1)


def action_views(
    actions: Float[Tensor, "batch several actions"],
    written: Float[Tensor, "batch several width"],
    *,
    names: tuple[str, ...],
    written_as: str,
) -> Views:
    """Return the views of actions and of the values that they store.

    Args:
        actions: the probabilities of the actions of each stack or list.
        written: the values.
        names: the names of the actions; further ones are left out.
        written_as: name of the view of the values, such as "pushed".
    """
    return (
        View(
            name="actions",
            title="Actions",
            values=_of_one(actions),
            axes=(*_number(actions), "action"),
            scale="level",
            measure="probability",
            entries=names[: actions.shape[-1]],
        ),
        View(
            name=written_as,
            title=written_as.capitalize(),
            values=_of_one(written),
            axes=(*_number(written), "width"),
            scale="signed",
            measure="value",
        ),
    )


def cells_view(cells: Float[Tensor, "batch several depth width"], *, name: str, axis: str, empty: float) -> View:
    """Return the view of cells over time; a cell of several numbers is drawn as its distance from an empty cell.

    Args:
        cells: the cells, as differences to an empty cell.
        name: name of the view, such as "stack".
        axis: name of the axis of the cells.
        empty: value of an empty cell.
    """
    vectors = cells.shape[-1] > 1
    return View(
        name=name,
        title=name.capitalize(),
        values=_of_one(cells.norm(dim=-1) if vectors else empty + cells[..., 0]),
        axes=(*_number(cells), axis),
        scale="amount" if vectors else "signed",
        measure="distance from empty" if vectors else "value",
    )


def contents_view(cells: Float[Tensor, "batch several depth width"], *, axis: str, empty: float) -> View:
    """Return the view of all numbers in the cells after the last step.

    Args:
        cells: the cells, as differences to an empty cell.
        axis: name of the axis of the cells.
        empty: value of an empty cell.
    """
    return View(
        name="contents",
        title="Contents",
        values=_of_one(empty + cells),
        axes=(*_number(cells), axis, "width"),
        scale="signed",
        measure="value",
    )


def _of_one(values: Tensor) -> Tensor:
    """Return values without the axis of stacks or lists if there is one of them only."""
    return values if values.shape[1] > 1 else values[:, 0]


def _number(values: Tensor) -> tuple[str, ...]:
    """Return the name of the axis of stacks or lists, if there are several."""
    return (HEAD,) if values.shape[1] > 1 else ()
