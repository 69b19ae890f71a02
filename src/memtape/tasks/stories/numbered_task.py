"""Numbered task: draw examples from the stories of several tasks, whose numbers are the lengths."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.core.batch import SequenceBatch
from memtape.core.task import generator_for, rows_in_order
from memtape.tasks.classification import ClassificationTask

OWN = 0
"""The number of a user's own stories; those of the tasks start at 1."""


@dataclass(frozen=True)
class NumberedExamples:
    """Examples, each with the number of its task."""

    origins: Int[Tensor, " examples"]
    """The number of the task of each example."""

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.origins)

    def among(self, tasks: tuple[int, int]) -> Int[Tensor, " rows"]:
        """Return the indices of the examples of the tasks with numbers in a range."""
        return ((self.origins >= tasks[0]) & (self.origins <= tasks[1])).nonzero()[:, 0]


class NumberedTask(ClassificationTask):
    """Abstract task whose examples are those of some bAbI tasks; its lengths are the numbers of these tasks.

    A user's own stories have the number 0. In training they are drawn about as often as those of all tasks together.

    Attributes:
        counted: what an example is, in the plural.
        splits: the examples of "train", "validation" and "test".
    """

    counted: ClassVar[str]
    splits: Mapping[str, Any]

    def available(self, split: str) -> int:
        """Return the number of examples of a split; any name except "train" and "validation" is the test split."""
        return len(self._split(split))

    def available_within(self, split: str, lengths: tuple[int, int] | None) -> int:
        """Return the number of examples of a split of the tasks with numbers in a range."""
        return self.available(split) if lengths is None else len(self._split(split).among(lengths))

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Return examples of the tasks with numbers in a range; training draws them with replacement."""
        examples = self._split(split)
        among = examples.among(lengths)
        if not len(among):
            raise ValueError(
                f"lengths are {lengths[0]}..{lengths[1]}, but the tasks are {sorted(set(examples.origins.tolist()))}; "
                "lengths are numbers of tasks: give one of these"
            )
        if split == "train":
            among = _in_equal_shares(among, own=examples.origins[among] == OWN)
            drawn = torch.randint(len(among), (batch_size,), generator=generator_for(seed, split, index))
        else:
            drawn = rows_in_order(split, index, batch_size, len(among), self.counted)
        return self.collated(examples, among[drawn])

    @abstractmethod
    def collated(self, examples: Any, rows: Int[Tensor, " rows"]) -> SequenceBatch:
        """Return some examples of a split as a batch."""

    def _split(self, split: str) -> Any:
        return self.splits.get(split, self.splits["test"])


def _in_equal_shares(rows: Int[Tensor, " rows"], own: Bool[Tensor, " rows"]) -> Int[Tensor, " more_rows"]:
    """Repeat the examples of own stories as long as they are not more than the others."""
    count = int(own.sum())
    times = max(1, (len(rows) - count) // count) if count else 1
    return torch.cat([rows, rows[own].repeat(times - 1)])
