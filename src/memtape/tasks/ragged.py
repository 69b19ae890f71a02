"""Ragged: sequences of different lengths, concatenated in one tensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from memtape.tasks.lengths import steps_since


@dataclass(frozen=True)
class Ragged:
    """Sequences of different lengths, concatenated along time in one tensor, so that a batch is one indexing operation."""

    values: Shaped[Tensor, "steps *size"]
    lengths: Int[Tensor, " sequences"]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> "Ragged":
        """Concatenate sequences of integers."""
        values = torch.tensor([value for sequence in sequences for value in sequence], dtype=torch.long)
        return cls(values, torch.tensor([len(sequence) for sequence in sequences], dtype=torch.long))

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.lengths)

    def padded(self, rows: Int[Tensor, " rows"]) -> tuple[Shaped[Tensor, "rows time *size"], Int[Tensor, " rows"]]:
        """Return the selected sequences, padded with zeros at the end, and their lengths."""
        lengths = self.lengths[rows]
        since_begin = steps_since(torch.zeros_like(lengths), int(lengths.max()))
        inside = since_begin < lengths[:, None]
        found = self.values[torch.where(inside, self._begins[rows][:, None] + since_begin, 0)]
        return torch.where(inside.reshape(*inside.shape, *[1] * (found.ndim - 2)), found, 0), lengths

    @cached_property
    def _begins(self) -> Int[Tensor, " sequences"]:
        """The first step of each sequence."""
        return self.lengths.cumsum(0) - self.lengths
