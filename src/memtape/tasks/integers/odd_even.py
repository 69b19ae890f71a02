"""Odd-even: double odd numbers, and then count on in steps of two."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core import checks
from memtape.core.card import TaskCard
from memtape.tasks.integers.number_answers import NumberAnswers, Numbers, distinct_numbers
from memtape.tasks.lengths import check_range


class OddEven(NumberAnswers):
    r"""Read L distinct odd numbers, and write even ones: twice each number of the first half, and then steps of 2.

    $$x_i = 2 s_i + 1, \qquad y_i = \begin{cases} 2 x_i - 2 & i \le \lfloor L/2 \rfloor \\ y_{i-1} + 2 & \text{else} \end{cases}
    \qquad i = 0 \dots L - 1$$

    for distinct seeds $s_i$ of 1 to S. The places count from 0, as in the authors' code, so that the first half has
    $\lfloor L/2 \rfloor + 1$ numbers: the answer to 7 3 15 5 is 12 4 28 30. With places that count from 1, the formula would
    give 12 4 6 8.

    Args:
        seeds: S, number of different seeds, the longest length of a list.
        min_length: minimum length of a list in training.
        max_length: maximum length of a list in training.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is below 1, the range of lengths is empty, or there are fewer seeds than the longest list has.

    Example:
        >>> task = OddEven()
        >>> print(task.show(task.batch(0, 1, lengths=(4, 4), input_kind="pairs")))
        OddEven, 5 steps
        source 47 23 27 33
        target 92 44 52 54 |

    References:
        Le, Tran & Venkatesh (2018), "Dual control memory augmented neural networks for treatment recommendations",
        arXiv:1802.03689, and the authors' code.
    """

    input_kinds = ("sequences", "pairs")
    same_length = False

    def __init__(self, *, seeds: int = 24, min_length: int = 2, max_length: int = 8):
        checks.at_least(1, seeds=seeds)
        check_range(self, length=(min_length, max_length))
        self.distinct, self.lengths = seeds, (min_length, max_length)
        self.check_longest(max_length)
        self.input_size = 2 * seeds + 2
        self.output_size = 4 * seeds + 2 * (seeds - 1 - seeds // 2) + 1

    def drawn(
        self, steps: Int[Tensor, " rows"], time: int, generator: torch.Generator
    ) -> tuple[Sequence[Numbers], Numbers]:
        """Draw a list of each row, and return it with its answer."""
        numbers = 2 * (distinct_numbers(len(steps), time, self.distinct, generator) + 1) + 1
        place, last = torch.arange(time), (steps // 2)[:, None]
        doubled = 2 * numbers.gather(1, torch.minimum(place, last).clamp(max=time - 1)) - 2
        return [numbers], doubled + 2 * (place - last).clamp(min=0)


CARD = TaskCard(
    name="odd-even",
    summary="Double odd numbers, and then count on in steps of two.",
    paper=("le2018dcw",),
    inputs=("sequences", "pairs"),
    small={"max_length": 3},
    unit="numbers",
    test_lengths=(8, 12),
    picture_length=12,
)
