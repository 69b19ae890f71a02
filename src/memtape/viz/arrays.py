"""Arrays: check that recorded arrays fit together before they are drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# A softmax in float32 over thousands of slots leaves the unit interval by rounding; logits leave it by far more.
_ROUNDING = 1e-3


def check_arrays(
    record: str,
    arrays: Mapping[str, Any],
    axes: Mapping[str, Sequence[str]],
    *,
    truths: Sequence[str] = (),
    ranges: Mapping[str, tuple[tuple[float, float], str]],
    sizes: Mapping[str, tuple[int, str]] | None = None,
) -> None:
    """Raise an error unless arrays fit together.

    Args:
        record: the name of their record.
        arrays: the arrays by their names.
        axes: the names of the axes of each array; axes of the same name have the same length.
        truths: names of boolean arrays; the others contain floats.
        ranges: lower and upper limits of some of them, and the cure for values outside.
        sizes: known sizes of axes, and their source.

    Raises:
        TypeError: an array has another type.
        ValueError: two arrays have different lengths on a shared axis, or a number is not finite or out of its range.
    """
    known = dict(sizes or {})
    for name, array in arrays.items():
        _check_kind(record, name, array, truths)
        _check_axes(record, name, array, axes[name], known)
        _check_values(record, name, array, ranges.get(name))


def _check_kind(record: str, name: str, array: Any, truths: Sequence[str]) -> None:
    wanted, kind, cure = ("truth values", "b", "> 0") if name in truths else ("floats", "f", ".astype(float)")
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"{name} of the {record} is a {type(array).__name__}, but it must be a numpy array of {wanted}; "
            "convert it, a tensor with .detach().cpu().numpy()"
        )
    if array.dtype.kind != kind:
        raise TypeError(
            f"{name} of the {record} has dtype {array.dtype}, but it must contain {wanted}; convert it with {name}{cure}"
        )


def _check_axes(
    record: str, name: str, array: np.ndarray, axes: Sequence[str], sizes: dict[str, tuple[int, str]]
) -> None:
    timed = axes[0] == "time"
    if array.ndim != len(axes) or (timed and len(array) < 1):
        raise ValueError(
            f"{name} of the {record} has shape {array.shape}, but it must be ({', '.join(axes)})"
            f"{' with at least one step of time' if timed else ''}; pass one sequence, without a batch axis"
        )
    for axis, size in zip(axes, array.shape, strict=True):
        known, owner = sizes.setdefault(axis, (size, name))
        if size != known:
            raise ValueError(
                f"{name} of the {record} has {size} along its {axis} axis, but {owner} has {known}, and both must agree; "
                "record all fields from the same run over the same sequence"
            )


def _check_values(record: str, name: str, array: np.ndarray, limits: tuple[tuple[float, float], str] | None) -> None:
    if array.dtype.kind == "b" or not array.size:
        return
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(
            f"{name} of the {record} is {array[place]} at {place}, but every number must be finite; "
            "take a checkpoint from before the run diverged"
        )
    least, most = float(array.min()), float(array.max())
    (low, high), cure = limits or ((-np.inf, np.inf), "")
    if not low - _ROUNDING <= least <= most <= high + _ROUNDING:
        raise ValueError(
            f"{name} of the {record} spans {least:.4g}..{most:.4g}, but it must lie in {low:g}..{high:g}; {cure}"
        )
