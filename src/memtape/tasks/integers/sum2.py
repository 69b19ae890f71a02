"""Sum2: add the numbers of one list to those of another in reverse order."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core import checks
from memtape.core.card import TaskCard
from memtape.tasks.integers.number_answers import FEWEST, NumberAnswers, Numbers, distinct_numbers
from memtape.tasks.lengths import check_range


class Sum2(NumberAnswers):
    r"""Read two lists of L numbers each, and write their sums, with the second list in reverse order.

    $$y_i = x^{(1)}_i + x^{(2)}_{L+1-i}, \qquad i = 1 \dots L$$

    The numbers of a list are distinct, from 2 to the largest; all lists of a batch have one length. The answer to 5 9 2 and
    11 3 7 is 12 12 13.

    Args:
        largest: the largest number of a list.
        min_length: minimum length of a list in training.
        max_length: maximum length of a list in training.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is too small, the range of lengths is empty, or there are fewer numbers than the longest list has.

    Example:
        >>> task = Sum2()
        >>> print(task.show(task.batch(0, 1, lengths=(3, 3), input_kind="two_views")))
        Sum2, 4 steps
        first  31 24 30
        second 35 15 47
        target 78 39 65 |

    References:
        Le, Tran & Venkatesh (2018), "Dual memory neural computer for asynchronous two-view sequential learning",
        arXiv:1802.00662, and the authors' code.
    """

    input_kinds = ("sequences", "pairs", "two_views")
    same_length = True

    def __init__(self, *, largest: int = 49, min_length: int = 1, max_length: int = 10):
        checks.at_least(FEWEST, largest=largest)
        check_range(self, length=(min_length, max_length))
        self.distinct, self.lengths = largest - FEWEST + 1, (min_length, max_length)
        self.check_longest(max_length)
        self.input_size, self.output_size = largest + 1, 2 * largest + 1

    def drawn(
        self, steps: Int[Tensor, " rows"], time: int, generator: torch.Generator
    ) -> tuple[Sequence[Numbers], Numbers]:
        """Draw two lists of each row, and return them with their sums."""
        first, second = (distinct_numbers(len(steps), time, self.distinct, generator) + FEWEST for _ in range(2))
        return [first, second], first + second.flip(1)


CARD = TaskCard(
    name="sum2",
    summary="Add the numbers of one list to those of another in reverse order.",
    paper=("le2018dmnc",),
    inputs=("sequences", "pairs", "two_views"),
    small={"largest": 24, "max_length": 3},
    unit="numbers",
    test_lengths=(10, 15, 20),
    picture_length=15,
)
