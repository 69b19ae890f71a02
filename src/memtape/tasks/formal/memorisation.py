"""Memorisation: predict the next symbol of strings that are followed by their reverse."""

import math

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.card import TaskCard
from memtape.tasks.formal.string_streams import Strings, StringStreams, lowest_cross_entropy
from memtape.tasks.lengths import steps_since

SEPARATOR = 0


class Memorisation(StringStreams):
    """Predict the next symbol of strings, each a random string, a separator and the random string in reverse.

    The strings follow each other without boundaries. The size of the random string is uniform, and so are its symbols. The
    next symbol is determined from the separator on, up to the last symbol of the reversed string. A string counts as correct
    if the most likely symbol is correct at each of these steps. The loss counts all symbols. `lower_bound` is its lowest
    possible value.

    Args:
        symbols: number of different symbols, without the separator.
        strings: number of strings in a row.
        min_length: smallest size of a random string in training.
        max_length: largest size of a random string in training.

    Raises:
        ValueError: a number is below 1, or the range of sizes is empty.

    Example:
        >>> task = Memorisation(strings=2)
        >>> print(task.show(task.batch(0, 1, lengths=(2, 3))))
        Memorisation, 12 steps
        input  14|41223|322
        target 4|41223|3223

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007.
    """

    def __init__(self, *, symbols: int = 4, strings: int = 5, min_length: int = 2, max_length: int = 19):
        checks.at_least(1, symbols=symbols)
        self.symbols = symbols
        self.vocabulary = ("|", *map(str, range(1, symbols + 1)))
        super().__init__(strings=strings, sizes=(min_length, max_length))

    def draw_strings(self, sizes: Int[Tensor, " strings"], generator: torch.Generator) -> Strings:
        """Draw random strings, and append the separator and the reverse."""
        drawn = torch.randint(1, self.symbols + 1, (len(sizes), int(sizes.max())), generator=generator)
        places = torch.arange(2 * drawn.shape[1] + 1)
        mirrored = torch.minimum(places, 2 * sizes[:, None] - places)
        symbols = drawn.gather(1, mirrored.clamp(0, drawn.shape[1] - 1))
        return torch.where(places == sizes[:, None], SEPARATOR, symbols), 2 * sizes + 1

    def determined(
        self, inputs: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"]
    ) -> Bool[Tensor, "batch time"]:
        """Return the steps from each separator to the last but one of its string."""
        places = torch.arange(inputs.shape[1])
        separators = (inputs == SEPARATOR) & (steps_since(lengths, inputs.shape[1]) < 0)
        latest = torch.where(separators, places, -1).cummax(1).values
        begins = self._begins(separators)
        size = (latest - begins.gather(1, latest.clamp(min=0))).clamp(min=0)
        return (latest >= 0) & (places < latest + size) & (places < lengths[:, None])

    def _begins(self, separators: Bool[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
        """Return, at each separator, the first step of its string: the step after the reverse of the previous one."""
        begins = torch.zeros(separators.shape, dtype=torch.long)
        begin = torch.zeros(len(separators), dtype=torch.long)
        number = separators.long().cumsum(1)
        for each in range(1, int(number.max()) + 1):
            here = separators & (number == each)
            found, place = here.any(1), here.long().argmax(1)
            begins[found, place[found]] = begin[found]
            begin = torch.where(found, 2 * place - begin + 1, begin)
        return begins

    def lower_bound(self) -> float:
        """Return the lowest possible cross-entropy: the entropy of the sizes and of the random strings, per symbol."""
        nats = math.log(self.symbols)
        return lowest_cross_entropy(self.lengths, lambda size: size * nats, lambda size: 2 * size + 1)


CARD = TaskCard(
    name="memorisation",
    summary="Predict the next symbol of random strings, each followed by its reverse.",
    paper=("joulin2015",),
    inputs=("sequences",),
    small={"max_length": 4, "strings": 2},
    unit="symbols",
    test_lengths=(19, 30, 40, 50, 60),
    picture_length=25,
)
