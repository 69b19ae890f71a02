"""Task: a source of batches with targets, and the scores of a network's outputs."""

import functools
import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from reprlib import repr as shortened
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.data_record import DataRecord
from memtape.core.integers import is_integer
from memtape.core.score import Score


@runtime_checkable
class Player(Protocol):
    """A network that acts in a batch step by step."""

    def __call__(self, inputs: Tensor, state: Any, lengths: Tensor) -> tuple[Tensor, Any]:
        """Return the outputs and the next state; state None means the initial one, and rows of length 0 keep their state."""
        ...


class Task(ABC):
    """Abstract task: it returns batches and scores outputs, independently of any model.

    The constructor's keyword arguments are the settings. A concrete task is final; it derives from `DrawnTask` if its
    sequences are generated, or from `HeldTask` if it has a fixed number of examples.

    Attributes:
        input_size: size of one input vector, or number of input symbols.
        output_size: size of one output vector.
        lengths: shortest and longest length in training, in the task's unit.
        scored: the scores that are reported; the first one selects the best validation, the last one decides whether
            the task is solved.
        solved_at: value of the last score at which the task counts as solved; None if there is no such value.
        test_parts: lengths that the final evaluation also scores by themselves, besides the whole test split.
        stuck_at: value of the last score that a training run must reach early, else it counts as stuck; None if
            unknown.
        vocabulary: the name of each symbol, in the order of their indices; None without symbols.
        around_words: the symbols before and after a word, None for none, if the task is to decide whether words belong to a
            language, with a class for other words and one for members; None for other tasks.
        input_kinds: names of the kinds of input that a batch can have, the default first, such as "sequences" or
            "pairs".
        inputs_repeat_targets: whether targets are inputs of later steps, so that a bidirectional network could read
            the answers.
        interactive: whether inputs depend on the network's earlier outputs; `play` then completes a batch.
        data: the data that is read, or generated in its place; None for a task that is defined by its generator.
        configuration: the arguments of the constructor by name, defaults included.
    """

    input_size: int
    output_size: int
    lengths: tuple[int, int]
    scored: ClassVar[tuple[Score, ...]]
    solved_at: float | None = None
    test_parts: tuple[int, ...] = ()
    stuck_at: float | None = None
    vocabulary: tuple[str, ...] | None = None
    around_words: tuple[str | None, str | None] | None = None
    input_kinds: ClassVar[tuple[str, ...]] = ("sequences",)
    inputs_repeat_targets: ClassVar[bool] = False
    interactive: bool = False
    data: DataRecord | None = None
    configuration: Mapping[str, Any] = MappingProxyType({})

    def __init_subclass__(cls, **options: Any) -> None:
        """Let the constructor of a task keep its arguments in `configuration`."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _keeping_arguments(cls.__init__)  # type: ignore[method-assign]

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
        """Return a batch, a pure function of the settings, the seed, the split and the index.

        Its floats have torch's default dtype, as the parameters of a new network; their values are the same in each.

        Args:
            index: number of the batch within the split, from 0.
            batch_size: number of sequences; the last batch of a split of fixed size may have fewer.
            seed: seed of the data.
            split: name of the split, such as "train" or "validation"; splits differ in their data.
            lengths: shortest and longest length, in the task's unit; None for those of training.
            input_kind: one of `input_kinds`; None for the default.

        Raises:
            TypeError: a number is not an integer, or the lengths are not two.
            ValueError: a size is below 1, or the task does not have such lengths or such a kind of input.
        """
        checks.at_least(0, index=index)
        checks.at_least(1, batch_size=batch_size)
        shortest, longest = self.lengths if lengths is None else _range(lengths)
        least = self.shortest_length()
        if not least <= shortest <= longest:
            raise ValueError(
                f"lengths are {shortest}..{longest}, but {type(self).__name__} needs {least} <= shortest <= longest; "
                "give a range that is not empty"
            )
        input_kind = input_kind or self.input_kinds[0]
        if input_kind not in self.input_kinds:
            raise ValueError(
                f"the network reads {input_kind}, but {type(self).__name__} provides {' or '.join(self.input_kinds)}; "
                "choose another network"
            )
        batch = self.draw(index, batch_size, seed=seed, split=split, lengths=(shortest, longest), input_kind=input_kind)
        return batch.move(dtype=torch.get_default_dtype())

    def play(self, batch: SequenceBatch, player: Player, generator: torch.Generator | None) -> SequenceBatch:
        """Complete a batch whose inputs depend on the network's earlier outputs; other batches are returned unchanged.

        Args:
            batch: a batch that `batch` returned.
            player: the network.
            generator: random generator for sampled actions, in training; None takes the network's most likely actions.
        """
        return batch

    def with_vocabulary(self, known: Sequence[str]) -> "Task":
        """Return the task with the symbols of a known vocabulary, followed by those of words that it lacks.

        A network that knows the vocabulary can so read the task. This task does not change; one whose symbols are fixed is
        returned as it is.

        Args:
            known: the name of each symbol, such as those of an earlier run.

        Raises:
            ValueError: the vocabulary is that of another kind of task.
        """
        return self

    def shortest_length(self) -> int:
        """Return the shortest valid length, in the task's unit."""
        return 1

    def available(self, split: str) -> int | None:
        """Return the number of sequences of a split, None if it is unlimited."""
        return None

    def data_record(self) -> DataRecord | None:
        """Return the data of the task with the number of examples of each split; None if the generator defines the task."""
        if self.data is None:
            return None
        return self.data.counted({split: self.available(split) for split in ("train", "validation", "test")})

    def available_within(self, split: str, lengths: tuple[int, int] | None) -> int | None:
        """Return the number of sequences of a split with lengths in a range, None if it is unlimited."""
        return self.available(split)

    @abstractmethod
    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Return a batch; `batch` has validated the arguments."""

    @abstractmethod
    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the loss to minimise, a mean over all scored targets."""

    @abstractmethod
    def weight(self, batch: SequenceBatch) -> float:
        """Return the weight of a batch's loss: the weighted mean of the losses of its parts is the loss of the batch."""

    @abstractmethod
    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the sums from which the scores are computed; the sums of a batch's parts add up to those of the batch."""

    @abstractmethod
    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Compute the scores from the sums of `tally`."""

    def scores(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the scores of a network's outputs."""
        return self.scores_of(self.tally(outputs, batch))

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the scores at chance level on sequences of a range of lengths, by name, where known."""
        return {}

    @abstractmethod
    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as readable text."""


class DrawnTask(Task):
    """Abstract task that generates an unlimited number of sequences."""

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Draw a batch with a generator seeded by the seed, the split and the index."""
        return self.sample(batch_size, lengths, generator_for(seed, split, index))

    @abstractmethod
    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw sequences with lengths in an inclusive range, all random numbers from the generator."""


class HeldTask(Task):
    """Abstract task with a fixed number of examples in each split.

    Each training epoch goes through the examples in a new order. Each other split has one fixed shuffled order: a file
    may be sorted, but the first few examples shall represent all of them.
    """

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Return the examples of the given batch."""
        if lengths != self.lengths:
            raise ValueError(
                f"lengths are {lengths[0]}..{lengths[1]}, but the examples of {type(self).__name__} have fixed lengths; "
                "leave the lengths out"
            )
        count = self.available(split)
        if split == "train":
            return self.examples(split, _turns(index * batch_size, batch_size, count, seed), input_kind)
        return self.examples(split, rows_in_order(split, index, batch_size, count, "examples"), input_kind)

    @abstractmethod
    def available(self, split: str) -> int:
        """Return the number of examples of a split; any name except "train" and "validation" is the test split."""

    @abstractmethod
    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return the examples of a split with the given indices."""


def _range(lengths: Any) -> tuple[int, int]:
    """Return a pair of lengths as integers of Python."""
    if not isinstance(lengths, tuple | list) or len(lengths) != 2 or not all(map(is_integer, lengths)):
        raise TypeError(
            f"lengths are {shortened(lengths)}, but they must be the shortest and the longest length; give two integers"
        )
    shortest, longest = lengths
    checks.fit_in_64_bits({"the shortest length": shortest, "the longest length": longest})
    return int(shortest), int(longest)


def generator_for(*names: Any) -> torch.Generator:
    """Return a generator seeded by a hash of its arguments, such as a seed, a split and an index."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))


def rows_in_order(split: str, index: int, batch_size: int, count: int, counted: str) -> Int[Tensor, " rows"]:
    """Return the indices of a batch of the fixed shuffled order of a split.

    Args:
        split: name of the split, from which its order is drawn.
        index: number of the batch.
        batch_size: number of indices; the last batch may have fewer.
        count: the number of examples of the split.
        counted: what an example is, in the plural.

    Raises:
        ValueError: the batch is beyond the last example.
    """
    order = torch.randperm(count, generator=generator_for("order", split))
    rows = order[index * batch_size : (index + 1) * batch_size]
    if not len(rows):
        raise ValueError(
            f"batch {index} of {batch_size} of the split {split!r} is beyond its {count} {counted}; request an earlier one"
        )
    return rows


def _turns(first: int, size: int, count: int, seed: int) -> Tensor:
    """Return the indices of `size` examples from position `first` on; each epoch draws a new order of `count` examples."""
    places = torch.arange(first, first + size)
    epochs, rows = places // count, torch.empty_like(places)
    for number in epochs.unique().tolist():
        rows[epochs == number] = _order(count, seed, number)[places[epochs == number] % count]
    return rows


@lru_cache(maxsize=4)
def _order(count: int, seed: int, number: int) -> Tensor:
    """Return the order of one epoch; it is cached, since consecutive batches share it."""
    return torch.randperm(count, generator=generator_for(seed, "order", number))


def _keeping_arguments(initialise: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor of a task that keeps its arguments by name; that of a subclass comes first and counts."""
    signature = inspect.signature(initialise)

    @functools.wraps(initialise)
    def __init__(self: Task, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        outermost = "configuration" not in vars(self)
        if outermost:
            self.configuration = {}
        initialise(self, *args, **kwargs)
        if outermost:
            given = signature.bind(self, *args, **kwargs)
            given.apply_defaults()
            self.configuration = dict(list(given.arguments.items())[1:])

    return __init__
