"""Plain type: the values of options, such as those in files of JSON."""

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import numpy as np


def is_of(kind: Any, value: Any) -> bool:
    """Return whether a value has a plain type; an integer is also a float, a boolean is not a number.

    Args:
        kind: `int`, `float`, `bool`, `str`, the type of `None`, a `Literal` of words, or a union of them.
        value: the value from the file.
    """
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if get_args(kind):
        return any(is_of(part, value) for part in get_args(kind))
    if kind is float:
        return is_of(int, value) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def plain_values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by name, with scalars of NumPy, such as `np.int64(3)` or `np.True_`, as numbers of Python."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in arguments.items()}
