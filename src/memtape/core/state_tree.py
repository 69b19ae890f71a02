"""State tree: operations on all tensors of a state at once."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core.growth import aligned

S = TypeVar("S")


def leaves(state: Any) -> list[Tensor]:
    """Return the tensors of a state in the order of its fields."""
    found: list[Tensor] = []
    _collect(state, found)
    return found


def alike(state: Any, example: Any) -> bool:
    """Return whether a state has the structure of an example and tensors of the same shapes, dtypes and devices.

    The answer for structures other than states, tuples and tensors is False.
    """
    kind = type(example)
    if isinstance(example, Tensor):
        same = isinstance(state, Tensor) and state.shape == example.shape
        return same and state.dtype == example.dtype and state.device == example.device
    if type(state) is not kind:
        return False
    if kind is tuple:
        return len(state) == len(example) and all(map(alike, state, example))
    names = _fields(kind)
    return names is not None and all(alike(getattr(state, name), getattr(example, name)) for name in names)


def same_structure(first: Any, second: Any) -> bool:
    """Return whether two states have the same structure, whatever the sizes of their tensors."""
    return bool(pytree.tree_structure(first) == pytree.tree_structure(second))


def detach(state: S) -> S:
    """Detach a state from the graph, as between the chunks of truncated backpropagation through time."""
    return pytree.tree_map(lambda leaf: leaf.detach(), state)


def move(
    state: S,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    non_blocking: bool = False,
) -> S:
    """Move a state to a device, or convert its floats to another dtype; integers and booleans keep theirs."""

    def moved(leaf: Tensor) -> Tensor:
        kept = leaf.dtype if dtype is None or not leaf.is_floating_point() else dtype
        return leaf.to(device=device, dtype=kept, non_blocking=non_blocking)

    return pytree.tree_map(moved, state)


def destination(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Return the arguments of `move` for those of `torch.nn.Module.to`: a device, a dtype, both, or a tensor that has them.

    Raises:
        TypeError: the dtype is not one of floating-point numbers.
    """
    device, dtype, non_blocking, _ = torch._C._nn._parse_to(*args, **kwargs)
    if dtype is not None and not dtype.is_floating_point:
        raise TypeError(
            f"the dtype is {dtype}, but only floats are converted, while integers and booleans keep their dtype; give a dtype "
            "of floating-point numbers"
        )
    return {"device": device, "dtype": dtype, "non_blocking": non_blocking}


def like(state: S, example: S) -> S:
    """Convert every tensor of a state to its dtype in an example of the same structure."""
    return pytree.tree_map(lambda leaf, wanted: leaf.to(wanted.dtype), state, example)


def select(condition: Tensor, chosen: S, other: S) -> S:
    """Take the rows of `chosen` where the condition holds and the rows of `other` elsewhere.

    Rows are selected, not blended: a NaN in a row that is not selected has no effect.

    Args:
        condition: one boolean for each row of the batch, shape (batch,).
        chosen: a state whose tensors have the batch axis first.
        other: a state of the same structure and sizes.
    """

    def rows(first: Tensor, second: Tensor) -> Tensor:
        return torch.where(condition.reshape(-1, *[1] * (first.ndim - 1)), first, second)

    return pytree.tree_map(rows, chosen, other)


def stack(states: list[S], axis: int) -> S:
    """Stack states along a new axis, such as the steps of a sequence along time."""
    return pytree.tree_map(lambda *steps: torch.stack(steps, dim=axis), *states)


def over_steps(function: Callable[[S], Any], states: S) -> Any:
    """Apply a function to the state of every step, and return the results stacked along axis 1.

    Args:
        function: selects what to return of one state.
        states: the states of all steps, stacked along axis 1.
    """
    time = leaves(states)[0].shape[1]
    return stack([function(pytree.tree_map(lambda leaf, t=t: leaf[:, t], states)) for t in range(time)], axis=1)


def cat(states: list[S], axis: int) -> S:
    """Concatenate states along an existing axis; those that grow, such as stacks, get the size of the largest."""
    return pytree.tree_map(lambda *parts: torch.cat(parts, dim=axis), *aligned(states))


def rows(state: S, first: int, last: int) -> S:
    """Take the rows from `first` up to, but not including, `last` of tensors with the batch axis first."""
    return pytree.tree_map(lambda leaf: leaf[first:last], state)


def named_tensors(state: Any) -> dict[str, Tensor]:
    """Copy every tensor of a state, named by its path, such as `memory.weights`, for a safetensors file.

    They are copies, because the tensors of a state may share storage, which such a file does not allow.
    """
    return {name: leaf.clone(memory_format=torch.contiguous_format) for name, leaf in named_leaves(state).items()}


def named_leaves(state: Any) -> dict[str, Tensor]:
    """Return every tensor of a state by the name of its path, without copying."""
    paths, _ = pytree.tree_flatten_with_path(state)
    return {_name(path): leaf for path, leaf in paths}


def from_named_tensors(tensors: dict[str, Tensor], example: S) -> S:
    """Rebuild a state from its named tensors.

    Args:
        tensors: the tensors that `named_tensors` returned, read back from a file.
        example: a state of the same cell, such as `cell.init_state(batch_size)`; only its structure is used.

    Raises:
        ValueError: a name is missing or unknown.
    """
    paths, structure = pytree.tree_flatten_with_path(example)
    names = [_name(path) for path, _ in paths]
    if set(names) != set(tensors):
        raise ValueError(
            f"the saved state has the tensors {sorted(tensors)}, but this cell's state has {sorted(names)}; "
            "load it into the cell that it was saved from"
        )
    return pytree.tree_unflatten([tensors[name] for name in names], structure)


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(str(getattr(key, "name", getattr(key, "idx", getattr(key, "key", key)))) for key in path)


def _fields(kind: type) -> tuple[str, ...] | None:
    """Return the names of the fields of a class that `state` made; None for other classes."""
    return vars(kind).get("state_fields")


def _collect(value: Any, found: list[Any]) -> None:
    """Add the leaves of a tree to a list; this is a fast path of `tree_leaves` for states and tuples."""
    if isinstance(value, Tensor):
        found.append(value)
    elif type(value) is tuple:
        for part in value:
            _collect(part, found)
    elif (names := _fields(type(value))) is not None:
        for name in names:
            _collect(getattr(value, name), found)
    else:
        found += pytree.tree_leaves(value)
