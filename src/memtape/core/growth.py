"""Growth: states whose tensors grow by a cell in every step, such as those of a stack.

The class of such a state names its tensors that grow, and the axis of each, counted from the last: `growing: ClassVar =
{"cells": -2}`. A step returns these tensors with one cell more, and a cell of zeros at the end of the axis has no effect.
Inside a run all states have the same shapes: the run makes room for its steps first, and each step fills one cell of it.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils import _pytree as pytree

from memtape.core.transforms import transforming

S = TypeVar("S")


def growing_axes(state: Any) -> list[int | None]:
    """Return, for each tensor of a state, the axis that grows, counted from the last; None for tensors of fixed shape.

    Args:
        state: a state of tensors, tuples and records.
    """
    found: list[int | None] = []
    _collect(state, None, found)
    return found


def with_room(state: S, steps: int) -> S:
    """Add cells of zeros at the end of each growing tensor, so that a run of some steps keeps its shapes.

    Cells at the end that are zero in every row already are room and are not added again, except in compiled code and under
    transforms, which do not read values.

    Args:
        state: the state before the run.
        steps: number of steps.
    """
    axes = growing_axes(state)
    if not _any_grow(axes):
        return state
    leaves, structure = pytree.tree_flatten(state)
    growing = [(leaf, axis) for leaf, axis in zip(leaves, axes, strict=True) if axis is not None]
    if not all(isinstance(leaf, Tensor) and leaf.ndim >= -axis for leaf, axis in growing):
        return state
    missing = steps if _unread(leaves) else max(0, steps - min(_empty_at_the_end(*one) for one in growing))
    grown = [leaf if axis is None else _padded(leaf, axis, missing) for leaf, axis in zip(leaves, axes, strict=True)]
    return pytree.tree_unflatten(grown, structure)


def as_large(state: S, example: Any) -> S:
    """Add cells of zeros to the growing tensors of a state that are smaller than those of an example.

    Args:
        state: the state.
        example: a state of the same structure; with another structure `state` is returned as it is.
    """
    axes, given, wanted = growing_axes(state), *(pytree.tree_leaves(tree) for tree in (state, example))
    if not _any_grow(axes) or len(given) != len(wanted):
        return state

    def grown(leaf: Any, other: Any, axis: int | None) -> Any:
        if axis is None or not isinstance(other, Tensor) or other.ndim != leaf.ndim:
            return leaf
        return _padded(leaf, axis, max(0, other.shape[axis] - leaf.shape[axis]))

    leaves = [grown(*one) for one in zip(given, wanted, axes, strict=True)]
    return pytree.tree_unflatten(leaves, pytree.tree_structure(state))


def aligned(states: Sequence[S]) -> list[S]:
    """Return states of different sizes with the sizes of the largest.

    Args:
        states: states of the same structure.
    """
    if not any(_any_grow(growing_axes(state)) for state in states[:1]):
        return list(states)
    largest = states[0]
    for state in states[1:]:
        largest = as_large(largest, state)
    return [as_large(state, largest) for state in states]


def cut(state: S, example: Any) -> S:
    """Remove cells at the end of the growing tensors of a state that an example does not have.

    Args:
        state: the state after a step.
        example: the state before it, which had room for the step; with another structure `state` is returned as it is.
    """
    axes = growing_axes(example)
    if not _any_grow(axes):
        return state
    given, wanted = (pytree.tree_leaves(tree) for tree in (state, example))
    if len(given) != len(wanted):
        return state

    def kept(leaf: Any, other: Any, axis: int | None) -> Any:
        if axis is None or not isinstance(leaf, Tensor) or leaf.ndim != other.ndim:
            return leaf
        return leaf.narrow(axis, 0, other.shape[axis])

    leaves = [kept(*one) for one in zip(given, wanted, axes, strict=True)]
    return pytree.tree_unflatten(leaves, pytree.tree_structure(state))


def _collect(value: Any, axis: int | None, found: list[int | None]) -> None:
    names = vars(type(value)).get("state_fields")
    if isinstance(value, Tensor):
        found.append(axis)
    elif type(value) is tuple:
        for part in value:
            _collect(part, None, found)
    elif names is not None:
        growing = getattr(type(value), "growing", {})
        for name in names:
            _collect(getattr(value, name), growing.get(name), found)
    else:
        found += [None] * len(pytree.tree_leaves(value))


def _any_grow(axes: list[int | None]) -> bool:
    return any(axis is not None for axis in axes)


def _padded(leaf: Tensor, axis: int, cells: int) -> Tensor:
    if isinstance(cells, int) and cells == 0:
        return leaf
    return functional.pad(leaf, [0, 0] * (-axis - 1) + [0, cells])


def _unread(leaves: list[Any]) -> bool:
    return torch.compiler.is_compiling() or transforming() or any(leaf.is_meta for leaf in leaves)


def _empty_at_the_end(leaf: Tensor, axis: int) -> int:
    """Return the number of cells at the end of an axis that are zero in every row."""
    cells = leaf.detach().movedim(axis, 0).flatten(1)
    used = torch.nonzero((cells != 0).any(dim=1))
    return cells.shape[0] - (int(used[-1]) + 1 if len(used) else 0)
