"""In place: parts of a state that a kernel changes in place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """The parts of a state that a kernel changes in place: large ones, of which it accesses little.

    They are copied once; the backward pass restores earlier values from the last ones.
    """

    parts: tuple[str, ...] = ()
    """Their names, which are the first fields of the state."""
    differentiable: tuple[str, ...] = ()
    """Those with a gradient, which is computed if needed; the first of `parts`."""
    measured: tuple[str, ...] = ()
    """Sizes that `measure` sets in the forward pass and that the backward pass also needs."""
    flags: tuple[str, ...] = ()
    """Other sizes that `measure` sets."""
    addresses: tuple[str, ...] = ()
    """Pointers among the sizes: one with the name of a part points to its last value in the backward pass; others are null."""
    measure: Callable[[Any, Mapping[str, Tensor] | None], None] = lambda sizes, state: None
    """Sets sizes that depend on the values of a state, or their defaults if only shapes are known."""


def is_one_zero(tensor: Tensor) -> bool:
    """Return whether a tensor is an expanded zero."""
    if not tensor.numel() or any(
        stride and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
    ):
        return False
    return float(tensor[(0,) * tensor.ndim]) == 0


def copied(tensor: Tensor) -> Tensor:
    """Return a contiguous copy; zeros come from numpy, which does not write to the pages until they are used."""
    if is_one_zero(tensor):
        return torch.from_numpy(numpy.zeros(tensor.shape, dtype=str(tensor.dtype).removeprefix("torch.")))
    return tensor.clone(memory_format=torch.contiguous_format)
