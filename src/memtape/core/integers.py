"""Integers: convert integer arguments once, where a user passes them, so that all later code computes in int64."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, Integer
from torch import Tensor

from memtape.core.type_name import a_type

Lengths = Integer[Tensor, " batch"] | Integer[np.ndarray, " batch"] | Sequence[int]
"""The number of valid steps of each row: integers of any size, as a tensor, an array or a list."""

LARGEST = 2**63 - 1
"""The largest integer of a tensor."""

SHOWN_DIGITS = 20
"""Digits after which an integer is shown by their number; Python refuses to print very long ones."""


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer, of Python or of NumPy; a boolean is not a number."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """Return a value for an error message; a long integer is described by its number of digits."""
    if is_integer(value) and abs(value) >= 10**SHOWN_DIGITS:
        digits = int(abs(value).bit_length() * 0.30103) + 1
        return f"an integer of about {digits} digits"
    return str(value) if is_integer(value) else repr(value)


def is_integral(values: Tensor) -> bool:
    """Return whether the elements of a tensor are integers; booleans are not."""
    return not (values.is_floating_point() or values.is_complex() or values.dtype == torch.bool)


def widened(values: Any) -> Any:
    """Return a tensor of integers of any size as int64, and anything else unchanged."""
    return values.long() if isinstance(values, Tensor) and is_integral(values) else values


def as_integers(name: str, values: Any, meaning: str, *, device: torch.device | None = None) -> Int64[Tensor, "..."]:
    """Return integers of any size, as a tensor, an array or nested lists, as a tensor of int64.

    Args:
        name: name of the argument, a plural.
        values: the integers.
        meaning: what they are, for the error message.
        device: the device of the result; None keeps that of `values`.

    Raises:
        TypeError: a value is not an integer.
        ValueError: an integer does not fit in 64 bits, or lists of one level differ in length.
    """
    try:
        result = torch.as_tensor(values, device=device)
    except (OverflowError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, OverflowError) or "verflow" in str(error):
            raise ValueError(f"{name} contain an integer beyond 64 bits, but they are {meaning}; correct it") from None
        raise TypeError(
            f"{name} are {a_type(values)} without the form of a tensor, but they are {meaning}; pass integers"
        ) from None
    if not result.numel() and not isinstance(values, Tensor):
        return result.long()  # an empty list has no type
    if not is_integral(result):
        raise TypeError(f"{name} are {result.dtype}, but they are {meaning}; pass integers")
    whole = result.long()
    if result.dtype == torch.uint64 and bool((whole < 0).any()):
        raise ValueError(f"{name} contain an integer beyond 64 bits, but they are {meaning}; correct it")
    return whole
