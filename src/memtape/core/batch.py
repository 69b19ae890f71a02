"""Batch: the inputs and targets of a task, on one time axis."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Integer, Shaped
from torch import Tensor

from memtape.core import padding, state_tree
from memtape.core.inputs.input_kind import AnyInputKind
from memtape.core.inputs.registry import kind_of
from memtape.core.integers import as_integers, widened
from memtape.core.state import NoState, state


@state
class SequenceBatch:
    """Inputs of any kind with their targets; shorter rows are padded."""

    inputs: Any
    """The record of a kind of input: a tensor for "sequences", `Pairs`, `Trees`, or that of a registered `InputKind`."""
    targets: Shaped[Tensor, "batch time *output"]
    """Vectors, floats of shape (batch, time, output); classes, integers of shape (batch, time); or other targets, such
    as the edges that can be chosen at each step."""
    mask: Bool[Tensor, "batch time"]
    """Which steps are scored."""
    lengths: Integer[Tensor, " batch"]
    """The number of valid steps of each row, answer included."""

    def __post_init__(self) -> None:
        """Convert integers of any size to int64, so that none overflows later.

        Raises:
            TypeError: the lengths are not integers, or the mask is not of booleans.
        """
        object.__setattr__(self, "targets", widened(self.targets))
        object.__setattr__(self, "lengths", as_integers("lengths", self.lengths, "numbers of steps"))
        if self.mask.dtype != torch.bool:
            raise TypeError(
                f"the mask is {self.mask.dtype}, but it must be one boolean for each step; pass a bool tensor"
            )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    @property
    def kind(self) -> AnyInputKind:
        """The kind of the inputs."""
        return kind_of(self.inputs)

    def rows(self, first: int, last: int) -> "SequenceBatch":
        """Return the rows from `first` up to, but not including, `last`."""
        if (first, last) == (0, len(self)):
            return self
        inputs = self.kind.rows(self.inputs, first, last)
        return dataclasses.replace(state_tree.rows(self._without_inputs(), first, last), inputs=inputs)

    def steps(self, first: int, last: int) -> "SequenceBatch":
        """Return the steps from `first` up to, but not including, `last`; a row that ends before `first` has length 0.

        Raises:
            ValueError: the kind of the inputs cannot be cut into chunks of time.
        """
        return SequenceBatch(
            inputs=self.kind.steps(self.inputs, first, last),
            targets=self.targets[:, first:last],
            mask=self.mask[:, first:last],
            lengths=(self.lengths - first).clamp(0, last - first),
        )

    def move(
        self, *, device: Any = None, dtype: torch.dtype | None = None, non_blocking: bool = False
    ) -> "SequenceBatch":
        """Return the batch on another device, or with its floats in another dtype."""
        options = {"device": device, "dtype": dtype} | ({"non_blocking": True} if non_blocking else {})
        inputs = self.kind.move(self.inputs, **options)
        return dataclasses.replace(state_tree.move(self._without_inputs(), **options), inputs=inputs)

    def to(self, *args: Any, **kwargs: Any) -> "SequenceBatch":
        """Return the batch on another device, or with its floats in another dtype; arguments of `torch.nn.Module.to`.

        Integers and booleans keep their dtype.

        Raises:
            TypeError: the dtype is not one of floating-point numbers.
        """
        return self.move(**state_tree.destination(*args, **kwargs))

    @classmethod
    def join(cls, parts: Sequence["SequenceBatch"]) -> "SequenceBatch":
        """Concatenate the rows of several batches of one kind of input, padded to the longest.

        Raises:
            ValueError: the parts have more than one kind of input.
        """
        kinds = {part.kind.name: part.kind for part in parts}
        if len(kinds) != 1:
            raise ValueError(
                f"the parts have inputs of the kinds {sorted(kinds)}, but a batch has inputs of one; join parts of one kind"
            )
        (kind,) = kinds.values()
        return SequenceBatch(
            inputs=kind.join([part.inputs for part in parts]),
            targets=padding.joined([part.targets for part in parts]),
            mask=padding.joined([part.mask for part in parts]),
            lengths=padding.joined([part.lengths for part in parts]),
        )

    def _without_inputs(self) -> "SequenceBatch":
        return dataclasses.replace(self, inputs=NoState())
