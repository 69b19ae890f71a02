"""Counting: predict the next symbol of strings such as a^n b^n."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.card import TaskCard
from memtape.tasks.formal.string_streams import Strings, StringStreams, lowest_cross_entropy

REPEATS = {"anbn": (1, 1), "anbncn": (1, 1, 1), "anbncndn": (1, 1, 1, 1), "anb2n": (1, 2)}
"""How often each letter is repeated, in units of n."""

SUM = "anbmcnm"
"""The language a^n b^m c^(n+m), whose size is n + m."""


class Counting(StringStreams):
    r"""Predict the next symbol of strings of one counting language, one after another without boundaries.

    The size n of each string is uniform. In $a^n b^m c^{n+m}$ the size is n + m, and n is uniform in 1 to n + m - 1. The
    next symbol is determined from the first b of a string on, in $a^n b^m c^{n+m}$ from the first c on, up to the first
    letter of the next string. A string counts as correct if the most likely symbol is correct at each of these steps. The
    loss counts all symbols. `lower_bound` is its lowest possible value.

    The networks of the paper are trained on sizes below 20, and the table has the percentage of the sizes up to 60 for which
    all strings are correct.

    Args:
        language: the language: "anbn", "anbncn", "anbncndn", "anb2n" for $a^n b^{2n}$, or "anbmcnm" for $a^n b^m c^{n+m}$.
        strings: number of strings in a row.
        min_length: smallest size of a training string.
        max_length: largest size of a training string.

    Raises:
        ValueError: the language is unknown, a number is below 1, or the range of sizes is empty.

    Example:
        >>> task = Counting(language="anb2n", strings=2)
        >>> print(task.show(task.batch(0, 1, lengths=(1, 3))))
        Counting, 12 steps
        input  abbaaabbbbbb
        target bbaaabbbbbba

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007.
    """

    def __init__(
        self,
        *,
        language: Literal["anbn", "anbncn", "anbncndn", "anb2n", "anbmcnm"] = "anbn",
        strings: int = 5,
        min_length: int = 2,
        max_length: int = 19,
    ):
        checks.one_of((*REPEATS, SUM), language=language)
        self.language = language
        self.vocabulary = tuple("abcd"[: 3 if language == SUM else len(REPEATS[language])])
        super().__init__(strings=strings, sizes=(min_length, max_length))

    def shortest_length(self) -> int:
        """Return 1; for the language with two counts 2, one for each."""
        return 2 if self.language == SUM else 1

    def draw_strings(self, sizes: Int[Tensor, " strings"], generator: torch.Generator) -> Strings:
        """Return the string of each size."""
        if self.language == SUM:
            chances = torch.rand(sizes.shape, dtype=torch.float64, generator=generator)
            first = 1 + (chances * (sizes - 1)).long()
            counts = torch.stack([first, sizes - first, sizes], 1)
        else:
            counts = sizes[:, None] * torch.tensor(REPEATS[self.language])
        ends = counts.cumsum(1)
        places = torch.arange(int(ends[:, -1].max()))
        letters = (places[None, :, None] >= ends[:, None, :]).sum(-1)
        return letters.clamp(max=self.input_size - 1), ends[:, -1]

    def determined(
        self, inputs: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"]
    ) -> Bool[Tensor, "batch time"]:
        """Return the steps with a letter after which the next one is determined; padding has the first letter."""
        return inputs == 2 if self.language == SUM else inputs > 0

    def lower_bound(self) -> float:
        """Return the lowest possible cross-entropy: the entropy of the sizes, and of n, given n + m, per letter."""
        if self.language == SUM:
            return lowest_cross_entropy(self.lengths, lambda size: math.log(size - 1), lambda size: 2 * size)
        letters = sum(REPEATS[self.language])
        return lowest_cross_entropy(self.lengths, lambda size: 0.0, lambda size: letters * size)


CARD = TaskCard(
    name="counting",
    summary="Predict the next symbol of strings of a counting language, such as a^n b^n.",
    paper=("joulin2015",),
    inputs=("sequences",),
    small={"max_length": 4, "strings": 2},
    unit="letters",
    test_lengths=(19, 30, 40, 50, 60),
    picture_length=25,
)
