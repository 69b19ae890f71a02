"""Task: a source of sequences with targets, and the score of an answer."""

import hashlib
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch


class Task(ABC):
    """Abstract exam: it draws batches, scores outputs and shows an example, and knows no model.

    The constructor's keyword arguments are the settings. A concrete task is final.

    Attributes:
        input_size: size of one input vector.
        output_size: size of one output vector, and of one target.
        lengths: the shortest and the longest length that training draws, in the task's own unit.
    """

    input_size: int
    output_size: int
    lengths: tuple[int, int]

    def batch(
        self,
        index: int,
        batch_size: int,
        *,
        seed: int = 0,
        split: str = "train",
        lengths: tuple[int, int] | None = None,
    ) -> SequenceBatch:
        """Draw a batch, a pure function of the settings, the seed, the split and the index.

        Args:
            index: which batch of the split; a run that resumes asks for the next one.
            batch_size: number of sequences.
            seed: another seed gives other data.
            split: a name such as "train" or "validation"; each has data of its own.
            lengths: shortest and longest length to draw, in the task's unit; None means those of training.

        Raises:
            ValueError: a size below 1, or lengths that this task has no sequences for.
        """
        checks.at_least(1, batch_size=batch_size)
        shortest, longest = self.lengths if lengths is None else lengths
        least = self.shortest_length()
        if not least <= shortest <= longest:
            raise ValueError(
                f"lengths are {shortest}..{longest}, but {type(self).__name__} needs {least} <= shortest <= longest; "
                "give a range that is not empty"
            )
        digest = hashlib.sha256(f"{seed}/{split}/{index}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))
        return self.sample(batch_size, (shortest, longest), generator)

    def shortest_length(self) -> int:
        """Return the shortest length that makes sense, in the task's unit."""
        return 1

    @abstractmethod
    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw sequences with lengths in a range, ends included, with nothing but the generator."""

    @abstractmethod
    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the number to minimise, a mean over what is scored."""

    @abstractmethod
    def weight(self, batch: SequenceBatch) -> float:
        """Return how much is scored in a batch; losses of its parts, weighted by this, add up to the loss of the whole."""

    @abstractmethod
    def scores(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the metrics of an answer, each an average over sequences."""

    @abstractmethod
    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text that a person can read."""
