"""Batch: what a task hands out, inputs and targets on one time axis."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core.state import state


@state
class SequenceBatch:
    """Sequences with their targets; rows that end early are padded with zeros."""

    inputs: Float[Tensor, "batch time input"]
    targets: Float[Tensor, "batch time output"]
    mask: Bool[Tensor, "batch time"]
    """Which steps are scored."""
    lengths: Int[Tensor, " batch"]
    """How many steps of each row count, answer included."""
