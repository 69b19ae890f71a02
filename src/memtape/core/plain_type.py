"""Plain type: whether a value that came from a file is of the type of an option."""

import math
from typing import Any, Literal, get_args, get_origin


def is_of(kind: Any, value: Any) -> bool:
    """Tell whether a value is of a plain type; a whole number is a float too, a truth value no number.

    Args:
        kind: `int`, `float`, `bool`, `str`, `None`'s type, a `Literal` of words, or one of several of them.
        value: what came from the file.
    """
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if get_args(kind):
        return any(is_of(part, value) for part in get_args(kind))
    if kind is float:
        return is_of(int, value) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
