"""Growth: states whose tensors grow by a cell in every step, such as those of a stack.

The class of such a state names its tensors that grow, and the axis of each, counted from the last, or several axes:
`growing: ClassVar = {"cells": -2, "table": (-3, -2)}`. A step returns these tensors with one cell more in each of these axes,
and a cell of zeros at the end of an axis has no effect.
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


def growing_axes(state: Any) -> list[tuple[int, ...]]:
    """Return, for each tensor of a state, the axes that grow, counted from the last; () for tensors of fixed shape.

    Args:
        state: a state of tensors, tuples and records.
    """
    found: list[tuple[int, ...]] = []
    _collect(state, (), found)
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
    growing = [(leaf, axis) for leaf, of_leaf in zip(leaves, axes, strict=True) for axis in of_leaf]
    if not all(isinstance(leaf, Tensor) and leaf.ndim >= -axis for leaf, axis in growing):
        return state
    missing = steps if _unread(leaves) else max(0, steps - min(_empty_at_the_end(*one) for one in growing))
    grown = [_padded(leaf, dict.fromkeys(of_leaf, missing)) for leaf, of_leaf in zip(leaves, axes, strict=True)]
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

    def grown(leaf: Any, other: Any, of_leaf: tuple[int, ...]) -> Any:
        if not of_leaf or not isinstance(other, Tensor) or other.ndim != leaf.ndim:
            return leaf
        return _padded(leaf, {axis: max(0, other.shape[axis] - leaf.shape[axis]) for axis in of_leaf})

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

    def kept(leaf: Any, other: Any, of_leaf: tuple[int, ...]) -> Any:
        if not of_leaf or not isinstance(leaf, Tensor) or leaf.ndim != other.ndim:
            return leaf
        for axis in of_leaf:
            leaf = leaf.narrow(axis, 0, other.shape[axis])
        return leaf

    leaves = [kept(*one) for one in zip(given, wanted, axes, strict=True)]
    return pytree.tree_unflatten(leaves, pytree.tree_structure(state))


def _collect(value: Any, axes: tuple[int, ...], found: list[tuple[int, ...]]) -> None:
    if isinstance(value, Tensor):
        found.append(axes)
    elif type(value) is tuple:
        for part in value:
            _collect(part, (), found)
    elif (names := vars(type(value)).get("state_fields")) is not None:
        growing = getattr(type(value), "growing", {})
        for name in names:
            named = growing.get(name, ())
            _collect(getattr(value, name), (named,) if isinstance(named, int) else named, found)
    else:
        found += [()] * len(pytree.tree_leaves(value))


def _any_grow(axes: list[tuple[int, ...]]) -> bool:
    return any(axes)


def _padded(leaf: Tensor, cells: dict[int, int]) -> Tensor:
    """Add cells of zeros at the end of axes, each with its number of cells."""
    if all(isinstance(number, int) and number == 0 for number in cells.values()):
        return leaf
    places = [[0, cells.get(axis, 0)] for axis in range(-1, min(cells) - 1, -1)]
    return functional.pad(leaf, [size for place in places for size in place])


def _unread(leaves: list[Any]) -> bool:
    return torch.compiler.is_compiling() or transforming() or any(leaf.is_meta for leaf in leaves)


def _empty_at_the_end(leaf: Tensor, axis: int) -> int:
    """Return the number of cells at the end of an axis that are zero in every row."""
    cells = leaf.detach().movedim(axis, 0).flatten(1)
    used = torch.nonzero((cells != 0).any(dim=1))
    return cells.shape[0] - (int(used[-1]) + 1 if len(used) else 0)
