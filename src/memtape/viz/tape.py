"""Tape: what one sequence went through, step by step, as arrays on one time axis."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

_AXES = {
    "inputs": ("time", "input"),
    "outputs": ("time", "output"),
    "targets": ("time", "output"),
    "scored": ("time",),
    "adds": ("time", "write_heads", "width"),
    "reads": ("time", "read_heads", "width"),
    "write_weights": ("time", "write_heads", "slots"),
    "read_weights": ("time", "read_heads", "slots"),
}

# A softmax in float32 over thousands of slots leaves the unit interval by rounding, a logit by far more.
_ROUNDING = 1e-3


@dataclass(frozen=True, eq=False)
class Tape:
    """Hold one sequence: what came in, what went out, and what the heads did in between.

    Raises:
        TypeError: a field is no array of floats, or `scored` none of truth values.
        ValueError: two fields disagree on an axis that they share, a number is not finite, or a probability or weight
            is outside 0..1.
    """

    inputs: Float[np.ndarray, "time input"]
    outputs: Float[np.ndarray, "time output"]
    """Probabilities that a bit is 1."""
    targets: Float[np.ndarray, "time output"]
    scored: Bool[np.ndarray, " time"]
    """Which steps belong to the answer."""
    adds: Float[np.ndarray, "time write_heads width"]
    """What each write head added to the slots."""
    reads: Float[np.ndarray, "time read_heads width"]
    """What each read head brought back."""
    write_weights: Float[np.ndarray, "time write_heads slots"]
    read_weights: Float[np.ndarray, "time read_heads slots"]

    def __post_init__(self) -> None:
        """Refuse fields that do not fit together."""
        sizes: dict[str, tuple[int, str]] = {}
        for field in fields(self):
            name, array = field.name, getattr(self, field.name)
            _check_kind(name, array)
            _check_axes(name, array, sizes)
            _check_values(name, array)

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return len(self.inputs)

    @property
    def slots(self) -> int:
        """Number of slots of the memory."""
        return int(self.write_weights.shape[2])

    @property
    def wrong(self) -> Bool[np.ndarray, "time output"]:
        """Which scored bits are wrong once the outputs are cut at one half."""
        return ((self.outputs > 0.5) != (self.targets > 0.5)) & self.scored[:, None]


def _check_kind(name: str, array: Any) -> None:
    wanted, kind, cure = ("truth values", "b", "> 0") if name == "scored" else ("floats", "f", ".astype(float)")
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"{name} of the tape is a {type(array).__name__}, but it must be a numpy array of {wanted}; "
            "convert it, a tensor with .detach().cpu().numpy()"
        )
    if array.dtype.kind != kind:
        raise TypeError(
            f"{name} of the tape has dtype {array.dtype}, but it must hold {wanted}; convert it with {name}{cure}"
        )


def _check_axes(name: str, array: np.ndarray, sizes: dict[str, tuple[int, str]]) -> None:
    axes = _AXES[name]
    if array.ndim != len(axes) or len(array) < 1:
        raise ValueError(
            f"{name} of the tape has shape {array.shape}, but it must be ({', '.join(axes)}) with at least one step of "
            "time; pass one sequence, without a batch axis"
        )
    for axis, size in zip(axes, array.shape, strict=True):
        known, owner = sizes.setdefault(axis, (size, name))
        if size != known:
            raise ValueError(
                f"{name} of the tape has {size} along its {axis} axis, but {owner} has {known}, and both must agree; "
                "record all fields from the same run over the same sequence"
            )


def _check_values(name: str, array: np.ndarray) -> None:
    if array.dtype.kind == "b" or not array.size:
        return
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(
            f"{name} of the tape is {array[place]} at {place}, but every number must be finite; "
            "take a checkpoint from before the run diverged"
        )
    least, most = float(array.min()), float(array.max())
    if name in ("outputs", "write_weights", "read_weights") and not -_ROUNDING <= least <= most <= 1 + _ROUNDING:
        cure = "pass the sigmoid of the logits" if name == "outputs" else "pass the weights after their softmax"
        raise ValueError(f"{name} of the tape spans {least:.4g}..{most:.4g}, but it must lie in 0..1; {cure}")
