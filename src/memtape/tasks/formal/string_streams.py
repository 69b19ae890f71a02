"""String streams: predict the next symbol of strings that follow each other without boundaries."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.answers import answer_sums
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.formal.columns import symbols_in_columns
from memtape.tasks.lengths import check_range, draw_lengths, steps_since

Strings = tuple[Int[Tensor, "strings time"], Int[Tensor, " strings"]]
"""Symbols of strings, padded at the end, and the number of symbols of each."""


class StringStreams(ClassificationTask, DrawnTask, ABC):
    """Abstract task of predicting the next symbol of several strings, one after another.

    Inputs are the symbols of a row, targets the next ones; the last target is the first symbol of one more string. A string is
    correct if the most likely symbol is correct at each step where the next symbol is determined by the string so far.
    `cross_entropy` is per scored step. The length of an example is the size of its strings.

    Args:
        strings: number of strings in a row.
        sizes: smallest and largest size of a string in training.

    Attributes:
        determined_only: whether the loss counts only the symbols that are determined by the strings so far.
    """

    scored = (
        Score(name="cross_entropy", label="cross-entropy, nats per symbol", short="nats"),
        Score(name="accuracy", label="share of correct strings", short="accuracy", higher_is_better=True),
    )
    solved_at = 1.0
    inputs_repeat_targets = True
    vocabulary: tuple[str, ...]
    determined_only: ClassVar[bool] = False

    def __init__(self, *, strings: int, sizes: tuple[int, int]):
        checks.at_least(1, strings=strings)
        check_range(self, least=self.shortest_length(), length=sizes)
        self.strings, self.lengths = strings, sizes
        self.input_size = self.output_size = len(self.vocabulary)

    @abstractmethod
    def draw_strings(self, sizes: Int[Tensor, " strings"], generator: torch.Generator) -> Strings:
        """Draw a string of each size."""

    @abstractmethod
    def determined(
        self, inputs: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"]
    ) -> Bool[Tensor, "batch time"]:
        """Return at which steps the next symbol is determined by the strings so far."""

    @abstractmethod
    def lower_bound(self) -> float:
        """Return the lowest possible cross-entropy on strings of the training sizes, in nats per scored step.

        A predictor knows the distribution of the strings, but not the size of a string in advance.
        """

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw strings and write those of a row one after another."""
        rows, count = batch_size, self.strings + 1
        symbols, steps = self.draw_strings(draw_lengths(rows * count, lengths, generator), generator)
        ends = steps.reshape(rows, count).cumsum(1)
        begins = (ends - steps.reshape(rows, count)).flatten()
        text = torch.zeros(rows, int(ends[:, -1].max()), dtype=torch.long)
        inside = steps_since(steps, symbols.shape[1]) < 0
        row = torch.arange(rows).repeat_interleave(count)
        places = begins[:, None] + torch.arange(symbols.shape[1])
        text[row[:, None].expand_as(places)[inside], places[inside]] = symbols[inside]
        own = ends[:, -2]
        valid = steps_since(own, int(own.max())) < 0
        inputs, targets = text[:, : valid.shape[1]] * valid, text[:, 1 : valid.shape[1] + 1] * valid
        mask = self.determined(inputs, own) if self.determined_only else valid
        return SequenceBatch(inputs=inputs, targets=targets * mask, mask=mask, lengths=own)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy in nats, and the numbers of scored steps and of correct and of all strings."""
        wrong = outputs.detach().argmax(-1) != batch.targets
        counted = self.determined(batch.inputs, batch.lengths) & batch.mask
        strings = {f"{name}_strings": number for name, number in answer_sums(wrong, counted).items()}
        return {**class_sums(outputs, batch), **strings}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` and `accuracy`."""
        return {
            "cross_entropy": tally["nats"] / tally["scored"],
            "accuracy": tally["right_strings"] / tally["answers_strings"],
        }

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the symbols, and below the scored next ones; with `outputs` the most likely ones."""
        names = self.vocabulary
        return symbols_in_columns(type(self).__name__, batch, outputs, row, symbols=names, classes=names)


def lowest_cross_entropy(sizes: tuple[int, int], nats: Callable[[int], float], steps: Callable[[int], int]) -> float:
    """Return the entropy of strings of uniform sizes, divided by their mean number of symbols.

    Args:
        sizes: smallest and largest size.
        nats: entropy of a string, given its size.
        steps: number of symbols of a string, given its size.
    """
    every = range(sizes[0], sizes[1] + 1)
    return sum(math.log(len(every)) + nats(size) for size in every) / sum(map(steps, every))
