"""Input kind: define the record of a batch's inputs, and how to slice, join and move it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import torch

from memtape.core import state_tree

R = TypeVar("R")


class InputKind(ABC, Generic[R]):
    """Abstract kind of input: it defines the record of the inputs and all operations on it.

    Batches, tasks and training use these operations and never check the type of the inputs. A kind is one file with a
    record, a subclass of this class, and one registered object of it: `STORIES = register(StoriesKind())`. Tasks and
    networks refer to it by its `name`.

    Attributes:
        name: name in tasks and networks; also the name of the file.
        record: the class of the inputs of a batch, whose tensors have the batch axis first.
        article: the public name of the record in messages, with an article if it needs one, such as "memtape.Pairs".
        time_axis: what one step of the time axis is; targets, mask, lengths and outputs use this axis.
        in_chunks: whether the time axis can be cut into chunks, with the state passed from chunk to chunk.
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
        """Concatenate the rows of all parts, each padded at its end to the size of the longest."""

    def rows(self, inputs: R, first: int, last: int) -> R:
        """Return the rows from `first` up to, but not including, `last`."""
        return state_tree.rows(inputs, first, last)

    def steps(self, inputs: R, first: int, last: int) -> R:
        """Return the steps from `first` up to, but not including, `last`.

        Raises:
            ValueError: the kind cannot be cut into chunks of time.
        """
        raise ValueError(
            f"the inputs are {self.name}, whose steps of time ({self.time_axis} by {self.time_axis}) cannot be cut into "
            "chunks; leave tbptt out"
        )

    def move(self, inputs: R, *, device: Any = None, dtype: torch.dtype | None = None, non_blocking: bool = False) -> R:
        """Return the inputs on a device, with their floats in another dtype; symbols stay integers."""
        return state_tree.move(inputs, device=device, dtype=dtype, non_blocking=non_blocking)

    def require(self, inputs: Any, reader: str) -> R:
        """Check that the inputs of a network are of this kind, and return them.

        Args:
            inputs: the inputs of the network.
            reader: name of the network.

        Raises:
            TypeError: the inputs are of another kind.
        """
        if not isinstance(inputs, self.record):
            raise TypeError(
                f"the inputs are a {type(inputs).__name__}, but {reader} reads {self.name}; pass {self.article}"
            )
        return inputs  # type: ignore[return-value]


AnyInputKind = InputKind[Any]
"""A kind of input with any type of record."""
