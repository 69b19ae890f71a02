"""DNC tape: what one sequence went through in a memory that allocates, frees and links its slots, as arrays."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from memtape.viz.arrays import check_arrays
from memtape.viz.tape import Tape

_AXES = {
    "write_gates": ("time", "write_heads"),
    "allocation_gates": ("time", "write_heads"),
    "free_gates": ("time", "read_heads"),
    "read_modes": ("time", "read_heads", "modes"),
    "usage": ("time", "slots"),
    "links": ("linking_heads", "slots", "slots"),
}

_CURES = dict.fromkeys(("write_gates", "allocation_gates", "free_gates"), "pass the gates after their sigmoid") | {
    "read_modes": "pass the modes after their softmax",
    "usage": "pass the usage of a state",
    "links": "pass the links of a state",
}


@dataclass(frozen=True, eq=False)
class DNCTape:
    """Hold one sequence of a Differentiable Neural Computer: its tape, and what the heads were told about slots.

    Raises:
        TypeError: an array is none, or not one of floats.
        ValueError: two arrays disagree on an axis that they share, a number is not finite, or one is outside 0..1.
    """

    tape: Tape
    write_gates: Float[np.ndarray, "time write_heads"]
    """How much each write head wrote at all."""
    allocation_gates: Float[np.ndarray, "time write_heads"]
    """Whether it went for a free slot, 1, or for one that it looked up, 0."""
    free_gates: Float[np.ndarray, "time read_heads"]
    """Whether each read head gave back the slots that it had read in the step before."""
    read_modes: Float[np.ndarray, "time read_heads modes"]
    """Backward along the links of each write head, by content, forward along them; by content alone without links."""
    usage: Float[np.ndarray, "time slots"]
    links: Float[np.ndarray, "linking_heads slots slots"]
    """Links at the end; `links[h, i, j]` is how strongly head `h` wrote slot `i` right after slot `j`. Empty without links."""

    def __post_init__(self) -> None:
        """Refuse fields that do not fit together."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "tape"}
        tape = self.tape
        sizes = {
            "time": (tape.steps, "the tape"),
            "slots": (tape.slots, "the tape"),
            "write_heads": (tape.write_weights.shape[1], "the tape"),
            "read_heads": (tape.read_weights.shape[1], "the tape"),
            "modes": (1 + 2 * len(self.links), "one way by content, and two along the links of each head,"),
        }
        check_arrays("DNC tape", arrays, _AXES, within_one=_CURES, sizes=sizes)
