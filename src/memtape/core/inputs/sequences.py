"""Sequences: a tensor of vectors or symbols, one step after another."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from memtape.core import padding
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register


class SequencesKind(InputKind[Tensor]):
    """Vectors, floats of shape (batch, time, input), or symbols, integers of shape (batch, time); padded with zeros."""

    name: ClassVar[str] = "sequences"
    record: ClassVar[type] = Tensor
    article: ClassVar[str] = "a tensor"
    time_axis: ClassVar[str] = "step"
    in_chunks: ClassVar[bool] = True

    def length(self, inputs: Tensor) -> int:
        """Return the number of steps, padding included."""
        return inputs.shape[1]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Concatenate the rows, padded with zeros."""
        return padding.joined(parts)

    def steps(self, inputs: Tensor, first: int, last: int) -> Tensor:
        """Return the steps from `first` up to, but not including, `last`."""
        return inputs[:, first:last]


SEQUENCES = register(SequencesKind())
