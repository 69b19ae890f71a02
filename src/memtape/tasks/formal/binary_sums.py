"""Binary sums: predict the digits of sums of binary numbers."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.core.card import TaskCard
from memtape.tasks.formal.problems.binary_numbers import digits_of, integers
from memtape.tasks.formal.string_streams import Strings, StringStreams

PLUS, EQUALS, END = 2, 3, 4


class BinarySums(StringStreams):
    """Predict the digits of sums in strings such as 110+1=111. that follow each other.

    A string has two binary numbers, most significant digit first, and their sum, least significant digit first, with a full
    stop at its end. The size of a string is the number of digits of both numbers together, uniform; the number of digits of
    the first one is uniform from 0 to the size. Numbers start with 1; one of no digits is 0. Only the digits of the sum and
    the full stop are scored, and a string counts as correct if the most likely symbol is correct at each of them.

    Args:
        strings: number of strings in a row.
        min_length: smallest size of a training string.
        max_length: largest size of a training string.

    Raises:
        ValueError: a number is below 1, or the range of sizes is empty.

    Example:
        >>> task = BinarySums(strings=2)
        >>> print(task.show(task.batch(0, 1, lengths=(4, 6))))
        BinarySums, 26 steps
        input  0+1110=0111.10+1111=10001.
        target       0111.        10001.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007.
    """

    vocabulary: tuple[str, ...] = ("0", "1", "+", "=", ".")
    determined_only = True

    def __init__(self, *, strings: int = 5, min_length: int = 2, max_length: int = 19):
        super().__init__(strings=strings, sizes=(min_length, max_length))

    def draw_strings(self, sizes: Int[Tensor, " strings"], generator: torch.Generator) -> Strings:
        """Draw two numbers of each size, and append their sum."""
        chances = torch.rand(sizes.shape, dtype=torch.float64, generator=generator)
        first = (chances * (sizes + 1)).long()
        pairs = [self._numbers(count, generator) for count in (first, sizes - first)]
        values = [integers(digits) for digits, _ in pairs]
        sums = [one + other for one, other in zip(*values, strict=True)]
        total = digits_of(sums, max(number.bit_length() for number in [*sums, 1]))
        written = torch.tensor([max(number.bit_length(), 1) for number in sums])
        (one, one_size), (other, other_size) = pairs
        plus, equals = one_size, one_size + 1 + other_size
        end = equals + 1 + written
        place = torch.arange(int(end.max()) + 1).expand(len(sizes), -1)
        symbols = torch.full(place.shape, END)
        for digits, last, size in ((one, plus - 1, one_size), (other, equals - 1, other_size)):
            _put(symbols, digits, last[:, None] - place, size)
        _put(symbols, total, place - equals[:, None] - 1, written)
        symbols.scatter_(1, plus[:, None], PLUS).scatter_(1, equals[:, None], EQUALS)
        return symbols, end + 1

    def _numbers(
        self, sizes: Int[Tensor, " strings"], generator: torch.Generator
    ) -> tuple[Int[Tensor, "strings digits"], Int[Tensor, " strings"]]:
        """Draw numbers with the given numbers of digits, as little-endian digits; and return how many digits are written."""
        place = torch.arange(max(int(sizes.max()), 1))
        drawn = torch.randint(0, 2, (len(sizes), len(place)), generator=generator)
        digits = torch.where(place == sizes[:, None] - 1, 1, drawn) * (place < sizes[:, None])
        return digits, sizes.clamp(min=1)

    def determined(
        self, inputs: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"]
    ) -> Bool[Tensor, "batch time"]:
        """Return the steps from each equals sign to the last digit of its sum."""
        sums, ends = (inputs == EQUALS).long().cumsum(1), (inputs == END).long().cumsum(1)
        return sums > ends

    def lower_bound(self) -> float:
        """Return 0, since the scored symbols are determined."""
        return 0.0


def _put(symbols: Tensor, digits: Tensor, index: Tensor, size: Tensor) -> None:
    """Set the steps where `index` lies in 0..size - 1 to the digits with this index, in place."""
    inside = (index >= 0) & (index < size[:, None])
    symbols[inside] = digits.gather(1, index.clamp(0, digits.shape[1] - 1))[inside]


CARD = TaskCard(
    name="binary-sums",
    summary="Predict the digits of sums of binary numbers.",
    paper=("joulin2015",),
    inputs=("sequences",),
    small={"max_length": 4, "strings": 2},
    unit="digits",
    test_lengths=(19, 30, 40, 50, 60),
    picture_length=25,
)
