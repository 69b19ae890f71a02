"""Tape: what one sequence went through, step by step, as arrays on one time axis."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float

from memtape.viz.arrays import check_arrays

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

_CURES = {
    "outputs": "pass the sigmoid of the logits",
    "write_weights": "pass the weights after their softmax",
    "read_weights": "pass the weights after their softmax",
}


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
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        check_arrays("tape", arrays, _AXES, truths=("scored",), within_one=_CURES)

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
