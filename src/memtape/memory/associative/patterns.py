"""Patterns: check what a memory is given to store, and the states that it updates."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def checked_patterns(name: str, patterns: Any, *, binary: bool) -> Float[Tensor, "patterns units"]:
    """Return patterns after a check.

    Args:
        name: name of the memory, for messages.
        patterns: the patterns.
        binary: whether all entries must be 1 or -1; otherwise they must be finite.

    Raises:
        TypeError: the patterns are not a floating-point tensor.
        ValueError: the shape is not (patterns, units) with at least one of each, or an entry is not allowed.
    """
    _check_tensor("the patterns", patterns, name, "(patterns, units)")
    if patterns.ndim != 2 or not patterns.numel():
        raise ValueError(
            f"the patterns have shape {tuple(patterns.shape)}, but {name} stores (patterns, units) with at least one of "
            "each; flatten each pattern, and stack them"
        )
    _check_entries("the patterns", patterns, name, binary=binary)
    return patterns.detach()


def checked_states(name: str, states: Any, units: int, *, binary: bool) -> Float[Tensor, "*batch units"]:
    """Return states after a check.

    Args:
        name: name of the memory, for messages.
        states: the states, of any number of leading axes.
        units: the number of units of the memory.
        binary: whether all entries must be 1 or -1; otherwise they must be finite.

    Raises:
        TypeError: the states are not a floating-point tensor.
        ValueError: the last size is not the number of units, or an entry is not allowed.
    """
    _check_tensor("the states", states, name, f"(..., {units})")
    if not states.ndim or states.shape[-1] != units:
        raise ValueError(
            f"the states have shape {tuple(states.shape)}, but this {name} has {units} units; pass (..., {units})"
        )
    _check_entries("the states", states, name, binary=binary)
    return states


def _check_tensor(what: str, values: Any, name: str, shape: str) -> None:
    if not isinstance(values, Tensor):
        raise TypeError(f"{what} are a {type(values).__name__}, but {name} takes a tensor; pass one of shape {shape}")
    if not values.is_floating_point():
        raise TypeError(f"{what} are {values.dtype}, but {name} computes with floating-point numbers; pass .float()")


def _check_entries(what: str, values: Tensor, name: str, *, binary: bool) -> None:
    allowed = values.abs() == 1 if binary else torch.isfinite(values)
    if bool(allowed.all()):
        return
    wrong = values[~allowed][0].item()
    rule = "1 or -1" if binary else "finite"
    cure = "pass 2 * bits - 1 for bits" if binary else "clean the data"
    raise ValueError(f"{what} contain {wrong:g}, but all entries of {name} must be {rule}; {cure}")
