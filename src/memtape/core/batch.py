"""Batch: what a task hands out, inputs and targets on one axis of time."""

from typing import Any

from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from memtape.core import state_tree
from memtape.core.state import state


@state
class SequenceBatch:
    """Sequences with their targets; rows that end early are padded."""

    inputs: Any
    """Vectors, floats of shape (batch, time, input); symbols, whole numbers of shape (batch, time); or a record: `Pairs`, whose
    time is that of the answer, or `Trees`, whose time goes through the nodes."""
    targets: Shaped[Tensor, "batch time *output"]
    """Vectors, floats of shape (batch, time, output); classes, whole numbers of shape (batch, time); or whatever else the task
    compares with, such as the edges that can be chosen at each step."""
    mask: Bool[Tensor, "batch time"]
    """Which steps are scored."""
    lengths: Int[Tensor, " batch"]
    """How many steps of each row count, answer included."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    def rows(self, first: int, last: int) -> "SequenceBatch":
        """Return the rows from `first` up to, but not including, `last`."""
        return state_tree.rows(self, first, last)

    def steps(self, first: int, last: int) -> "SequenceBatch":
        """Return the steps from `first` up to, but not including, `last`; a row that ended before has length 0.

        Raises:
            ValueError: the inputs are no sequences.
        """
        if not isinstance(self.inputs, Tensor):
            raise ValueError(
                f"the inputs are {type(self.inputs).__name__}, which cannot be cut into chunks of time; leave tbptt out"
            )
        return SequenceBatch(
            inputs=self.inputs[:, first:last],
            targets=self.targets[:, first:last],
            mask=self.mask[:, first:last],
            lengths=(self.lengths - first).clamp(0, last - first),
        )
