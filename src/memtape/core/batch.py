"""Batch: what a task hands out, inputs and targets on one time axis."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core import tree
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

    def rows(self, first: int, last: int) -> "SequenceBatch":
        """Return the rows from `first` up to, but not including, `last`."""
        return tree.rows(self, first, last)

    def steps(self, first: int, last: int) -> "SequenceBatch":
        """Return the steps from `first` up to, but not including, `last`; a row that ended before has length 0."""
        return SequenceBatch(
            inputs=self.inputs[:, first:last],
            targets=self.targets[:, first:last],
            mask=self.mask[:, first:last],
            lengths=(self.lengths - first).clamp(0, last - first),
        )
