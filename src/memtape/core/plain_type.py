"""Plain type: check whether a value from a file has the type of an option."""

import math
from typing import Any, Literal, get_args, get_origin


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
