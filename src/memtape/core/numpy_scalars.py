"""NumPy scalars: arguments such as `np.int64(3)` or `np.True_`, as the plain values that a configuration holds."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain_values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by name, with scalars of NumPy as values of Python."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in arguments.items()}
