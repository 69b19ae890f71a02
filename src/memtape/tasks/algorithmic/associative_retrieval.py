"""Associative retrieval: output the digit that followed a letter."""

import string
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.formal.columns import symbols_in_columns
from memtape.tasks.lengths import check_range, draw_lengths, steps_since

LETTERS, DIGITS = len(string.ascii_lowercase), len(string.digits)
QUESTION = LETTERS + DIGITS
"""The symbol before the queried letter, which occurs twice; letters come first and digits after them."""


class AssociativeRetrieval(ClassificationTask, DrawnTask):
    """Output the digit that followed a letter, given pairs of letters and digits.

    The letters of a sequence are distinct. Two question marks follow the pairs, and then one of the letters; the target at
    this last step is its digit. The length of an example is its number of pairs. A sequence of n pairs takes 2 n + 3 steps.
    Inputs are 37 symbols, outputs the 10 digits. The paper has a fixed set of 100,000 training sequences; these are drawn anew.

    Args:
        min_length: minimum number of pairs in training.
        max_length: maximum number of pairs in training, at most 26.
        distinct_digits: draw the digits of a sequence without replacement, for at most 10 pairs.

    Raises:
        TypeError: a number is not an integer.
        ValueError: the range of lengths is empty, or there are more pairs than letters or distinct digits.

    Example:
        >>> task = AssociativeRetrieval()
        >>> print(task.show(task.batch(0, 1)))
        AssociativeRetrieval, 11 steps
        input  p4m0b0d6??m
        target           0

    References:
        Ba, Hinton, Mnih, Leibo & Ionescu (2016), "Using fast weights to attend to the recent past", arXiv:1610.06258, section
        4.1.
    """

    scored = (Score(name="accuracy", label="share of correct answers", short="accuracy", higher_is_better=True),)
    solved_at = 0.99
    vocabulary = (*string.ascii_lowercase, *string.digits, "?")

    def __init__(self, *, min_length: int = 4, max_length: int = 4, distinct_digits: bool = False):
        check_range(self, length=(min_length, max_length))
        self.distinct_digits = distinct_digits
        self._check_pairs(max_length)
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = len(self.vocabulary), DIGITS

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw pairs and a queried letter."""
        self._check_pairs(lengths[1])
        counts = draw_lengths(batch_size, lengths, generator)
        most, rows = lengths[1], torch.arange(batch_size)
        letters = _shuffled(batch_size, LETTERS, generator)[:, :most]
        digits = torch.randint(0, DIGITS, (batch_size, most), generator=generator)
        if self.distinct_digits:
            digits = _shuffled(batch_size, DIGITS, generator)[:, :most]
        queried = (torch.rand(batch_size, dtype=torch.float64, generator=generator) * counts).long()
        steps = 2 * counts + 3
        since_end = steps_since(2 * counts, int(steps.max()))
        pairs = torch.stack([letters, LETTERS + digits], -1).flatten(1)
        inputs = torch.nn.functional.pad(pairs, (0, 3))[:, : since_end.shape[1]]
        inputs = torch.where((since_end == 0) | (since_end == 1), QUESTION, inputs)
        inputs = torch.where(since_end == 2, letters[rows, queried, None], inputs)
        inside, last = since_end <= 2, since_end == 2
        return SequenceBatch(
            inputs=inputs * inside, targets=digits[rows, queried, None] * last, mask=last, lengths=steps
        )

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all answers."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`."""
        return {"accuracy": tally["right"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of a constant prediction."""
        return {"accuracy": 1 / DIGITS}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the symbols and the target; with `outputs` the most likely digit follows."""
        return symbols_in_columns(
            type(self).__name__, batch, outputs, row, symbols=self.vocabulary, classes=string.digits
        )

    def _check_pairs(self, pairs: int) -> None:
        checks.at_least(1, pairs=pairs)
        most, what = (DIGITS, "digits") if self.distinct_digits else (LETTERS, "letters")
        if pairs > most:
            raise ValueError(
                f"{pairs} pairs are requested, but there are {most} distinct {what}; request at most {most} pairs"
            )


def _shuffled(rows: int, count: int, generator: torch.Generator) -> Tensor:
    """Return the numbers below a count in a random order for each row."""
    return torch.rand(rows, count, dtype=torch.float64, generator=generator).argsort(-1)


CARD = TaskCard(
    name="associative-retrieval",
    summary="Output the digit that followed a letter, given pairs of letters and digits.",
    paper=("ba2016",),
    inputs=("sequences",),
    small={"min_length": 2, "max_length": 2},
    unit="pairs",
    test_lengths=(4, 6, 8),
)
