"""Input kind: what the inputs of a batch are, and how they are cut, joined and moved."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import torch

from memtape.core import state_tree

R = TypeVar("R")


class InputKind(ABC, Generic[R]):
    """Abstract kind of input, which owns the record of its inputs: batches, tasks and training ask it and no type.

    A kind is one file with a record, a subclass of this class, and one registered object of it:
    `STORIES = register(StoriesKind())`. Tasks and networks name it by its `name`.

    Attributes:
        name: what tasks and networks call it; also the name of its file.
        record: the class of the inputs of a batch, whose tensors begin with the batch axis.
        article: the record with its article and its public name, such as "memtape.Pairs".
        time_axis: what one step of the time axis is; targets, mask, lengths and outputs count by it.
        in_chunks: whether the time axis can be cut into chunks, with a state that goes on from chunk to chunk.
    """

    name: ClassVar[str]
    record: ClassVar[type]
    article: ClassVar[str]
    time_axis: ClassVar[str]
    in_chunks: ClassVar[bool] = False

    @abstractmethod
    def length(self, inputs: R) -> int:
        """Return the size of the time axis, padding included."""

    @abstractmethod
    def join(self, parts: Sequence[R]) -> R:
        """Return the rows of all parts under one another, each padded at its end to the size of the longest."""

    def rows(self, inputs: R, first: int, last: int) -> R:
        """Return the rows from `first` up to, but not including, `last`."""
        return state_tree.rows(inputs, first, last)

    def steps(self, inputs: R, first: int, last: int) -> R:
        """Return the steps from `first` up to, but not including, `last`.

        Raises:
            ValueError: the kind has no chunks of time.
        """
        raise ValueError(
            f"the inputs are {self.name}, whose steps of time ({self.time_axis} by {self.time_axis}) cannot be cut into "
            "chunks; leave tbptt out"
        )

    def move(self, inputs: R, *, device: Any = None, dtype: torch.dtype | None = None) -> R:
        """Return the inputs on a device, and their floats in another dtype; symbols stay integers."""
        return state_tree.move(inputs, device=device, dtype=dtype)

    def require(self, inputs: Any, reader: str) -> R:
        """Return the inputs of a network once they are known to be of this kind.

        Args:
            inputs: what the network was given.
            reader: name of the network.

        Raises:
            TypeError: inputs of another kind.
        """
        if not isinstance(inputs, self.record):
            raise TypeError(
                f"the inputs are a {type(inputs).__name__}, but {reader} reads {self.name}; pass {self.article}"
            )
        return inputs  # type: ignore[return-value]


AnyInputKind = InputKind[Any]
"""A kind of input whose record does not matter to the caller."""
