"""Numbered task: draw examples from the stories of several tasks, whose numbers are the lengths."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core.batch import SequenceBatch
from memtape.core.task import generator_for
from memtape.tasks.classification import ClassificationTask


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

    Attributes:
        counted: what an example is, in the plural.
        parts: the examples of "train", "validation" and "test".
    """

    counted: ClassVar[str]
    parts: Mapping[str, Any]

    def available(self, split: str) -> int:
        """Return the number of examples of a split; any name except "train" and "validation" is the test split."""
        return len(self._part(split))

    def available_within(self, split: str, lengths: tuple[int, int] | None) -> int:
        """Return the number of examples of a split of the tasks with numbers in a range."""
        return self.available(split) if lengths is None else len(self._part(split).among(lengths))

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Return examples of the tasks with numbers in a range; training draws them with replacement."""
        examples = self._part(split)
        among = examples.among(lengths)
        if not len(among):
            raise ValueError(
                f"lengths are {lengths[0]}..{lengths[1]}, but the tasks are {sorted(set(examples.origins.tolist()))}; "
                "lengths are numbers of tasks: give one of these"
            )
        if split == "train":
            drawn = torch.randint(len(among), (batch_size,), generator=generator_for(seed, split, index))
        else:
            order = torch.randperm(len(among), generator=generator_for("order", split))
            drawn = order[index * batch_size : (index + 1) * batch_size]
            if not len(drawn):
                raise ValueError(
                    f"batch {index} of {batch_size} of the split {split!r} is beyond its {len(among)} {self.counted}; "
                    "request an earlier one"
                )
        return self.collated(examples, among[drawn])

    @abstractmethod
    def collated(self, examples: Any, rows: Int[Tensor, " rows"]) -> SequenceBatch:
        """Return some examples of a part as a batch."""

    def _part(self, split: str) -> Any:
        return self.parts.get(split, self.parts["test"])
