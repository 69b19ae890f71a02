"""Task: a source of sequences with targets, and the scores of an answer."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.score import Score


@runtime_checkable
class Player(Protocol):
    """A network that plays a batch step by step."""

    def __call__(self, inputs: Tensor, state: Any, lengths: Tensor) -> tuple[Tensor, Any]:
        """Return what it says and its state, from a state on, None for the initial one; rows of length 0 are left alone."""
        ...


class Task(ABC):
    """Abstract exam: it hands out batches, scores outputs and shows an example, and knows no model.

    The constructor's keyword arguments are the settings. A concrete task is final, and derives from `DrawnTask` if it makes its
    sequences up, or from `HeldTask` if there is a certain number of them.

    Attributes:
        input_size: size of one input vector, or number of symbols that an input can be.
        output_size: size of one output vector.
        lengths: the shortest and the longest length that training draws, in the task's own unit.
        scored: the scores that a training looks at; the best validation is that of the best first score, and a task counts as
            solved by the last one.
        solved_at: value of the last score from which on the task counts as solved, None for never.
        stuck_at: value of the last score that a training must reach early, or it is stuck; None where none is known.
        vocabulary: what each symbol stands for, in the order of their numbers, None if there are no symbols.
        input_kinds: names of the kinds of input that a batch can have, the usual one first, such as "sequences" or "pairs".
        foretells: whether targets are inputs of later steps, which tell a network that sees ahead the answer.
        played: whether inputs hang on what the network says before them, so that `play` completes a batch.
    """

    input_size: int
    output_size: int
    lengths: tuple[int, int]
    scored: ClassVar[tuple[Score, ...]]
    solved_at: float | None = None
    stuck_at: float | None = None
    vocabulary: tuple[str, ...] | None = None
    input_kinds: ClassVar[tuple[str, ...]] = ("sequences",)
    foretells: ClassVar[bool] = False
    played: ClassVar[bool] = False

    def batch(
        self,
        index: int,
        batch_size: int,
        *,
        seed: int = 0,
        split: str = "train",
        lengths: tuple[int, int] | None = None,
        input_kind: str | None = None,
    ) -> SequenceBatch:
        """Hand out a batch, a pure function of the settings, the seed, the split and the index.

        Args:
            index: which batch of the split; a run that resumes asks for the next one.
            batch_size: number of sequences; the last batch of a split with a certain number of them may have fewer.
            seed: another seed gives other data.
            split: a name such as "train" or "validation"; each has data of its own.
            lengths: shortest and longest length to draw, in the task's unit; None means those of training.
            input_kind: which of `input_kinds` the inputs are; None means the usual one.

        Raises:
            ValueError: a size below 1, lengths that this task has no sequences for, or a kind of input that it does not have.
        """
        checks.at_least(1, batch_size=batch_size)
        shortest, longest = self.lengths if lengths is None else lengths
        least = self.shortest_length()
        if not least <= shortest <= longest:
            raise ValueError(
                f"lengths are {shortest}..{longest}, but {type(self).__name__} needs {least} <= shortest <= longest; "
                "give a range that is not empty"
            )
        input_kind = input_kind or self.input_kinds[0]
        if input_kind not in self.input_kinds:
            raise ValueError(
                f"the network reads {input_kind}, but {type(self).__name__} gives {' or '.join(self.input_kinds)}; "
                "choose another network"
            )
        return self.draw(index, batch_size, seed=seed, split=split, lengths=(shortest, longest), input_kind=input_kind)

    def play(self, batch: SequenceBatch, player: Player, generator: torch.Generator | None) -> SequenceBatch:
        """Return a batch whose inputs hang on what a network says before them; as it is, if they do not.

        Args:
            batch: what `batch` hands out.
            player: the network.
            generator: chance of a training; None lets the network decide alone, by what it holds to be best.
        """
        return batch

    def shortest_length(self) -> int:
        """Return the shortest length that makes sense, in the task's unit."""
        return 1

    def available(self, split: str) -> int | None:
        """Return how many sequences a split has, None if it has no end."""
        return None

    @abstractmethod
    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Return what `batch` asks for, with arguments that are known to fit."""

    @abstractmethod
    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the number to minimise, a mean over what is scored."""

    @abstractmethod
    def weight(self, batch: SequenceBatch) -> float:
        """Return how much is scored in a batch; losses of its parts, weighted by this, add up to the loss of the whole."""

    @abstractmethod
    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return sums over an answer that its scores are made of; those of its parts add up to those of the whole."""

    @abstractmethod
    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return the scores that the sums of an answer make."""

    def scores(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the scores of an answer."""
        return self.scores_of(self.tally(outputs, batch))

    def guess(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return what a guess scores on sequences of a range of lengths, by the name of the score, as far as that is known."""
        return {}

    @abstractmethod
    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text that a person can read."""


class DrawnTask(Task):
    """Abstract task that makes its sequences up: there is no end of them."""

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Draw a batch with a generator that the seed, the split and the index begin."""
        return self.sample(batch_size, lengths, generator_for(seed, split, index))

    @abstractmethod
    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw sequences with lengths in a range, ends included, with nothing but the generator."""


class HeldTask(Task):
    """Abstract task with a certain number of examples in each split.

    Training goes through its examples in a new order each time. Each other split has one order for all, in which they are
    shuffled: a file may be sorted, and the first few examples shall stand for the rest.
    """

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Return the examples whose turn it is."""
        if lengths != self.lengths:
            raise ValueError(
                f"lengths are {lengths[0]}..{lengths[1]}, but the examples of {type(self).__name__} are what they are; "
                "leave the lengths out"
            )
        count = self.available(split)
        if split == "train":
            return self.examples(split, _turns(index * batch_size, batch_size, count, seed), input_kind)
        order = torch.randperm(count, generator=generator_for("order", split))
        rows = order[index * batch_size : (index + 1) * batch_size]
        if not len(rows):
            raise ValueError(
                f"batch {index} of {batch_size} of the split {split!r} is beyond its {count} examples; ask for an earlier one"
            )
        return self.examples(split, rows, input_kind)

    @abstractmethod
    def available(self, split: str) -> int:
        """Return how many examples a split has; what is neither "train" nor "validation" is the test split."""

    @abstractmethod
    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return examples of a split by their numbers."""


def generator_for(*names: Any) -> torch.Generator:
    """Return a generator that is begun by names, such as a seed, a split and an index."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))


def _turns(first: int, size: int, count: int, seed: int) -> Tensor:
    """Return which of `count` examples come at the places from `first` on, in orders that are drawn anew for each pass."""
    places = torch.arange(first, first + size)
    passes, rows = places // count, torch.empty_like(places)
    for number in passes.unique().tolist():
        rows[passes == number] = _order(count, seed, number)[places[passes == number] % count]
    return rows


@lru_cache(maxsize=4)
def _order(count: int, seed: int, number: int) -> Tensor:
    """Return the order of one pass; many batches in a row are of the same."""
    return torch.randperm(count, generator=generator_for(seed, "order", number))
