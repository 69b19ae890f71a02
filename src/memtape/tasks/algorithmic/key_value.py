"""Key-value: store pairs of keys and values, and output the value of each queried key."""

import torch
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits, pick, put_where
from memtape.tasks.lengths import check_range, draw_lengths, steps_since

LARGEST = 32
"""Largest number of bits of a pair, since each draw permutes all possible keys."""


class KeyValue(BitTask):
    """Output the value of each queried key, given a list of key-value pairs.

    The keys of a sequence are distinct. After a delimiter all keys are queried in random order; the target at each of these
    steps is the value. Input channels: the key, the value, the delimiter. The length of an example is its number of pairs. A
    sequence of n pairs takes 2 n + 1 steps. Chance level is one bit per target bit: 6 bits per pair.

    Args:
        bits: number of bits of one pair, half for the key and half for the value; even and at most 32.
        min_length: minimum number of pairs in a training sequence.
        max_length: maximum number of pairs in a training sequence.
        same_length: draw one number of pairs for all sequences of a batch instead of one for each.

    Raises:
        ValueError: `bits` is odd or outside 2..32, the range is empty, or there are more pairs than keys.

    Example:
        >>> task = KeyValue(bits=4, max_length=4)
        >>> print(task.show(task.batch(0, 1, lengths=(3, 3))))
        KeyValue, 7 steps
        input   0 .##..##
        input   1 ..#..#.
        input   2 .#.....
        input   3 #.#....
        input   4 ...#...
        target  0     ..#
        target  1     ##.

    References:
        Csordas & Schmidhuber (2019), "Improving differentiable neural computers through memory masking, de-allocation, and link
        distribution sharpness control", arXiv:1904.10278, and its code, where the pairs are sorted by their keys.
    """

    def __init__(self, *, bits: int = 12, min_length: int = 2, max_length: int = 16, same_length: bool = False):
        checks.at_least(2, bits=bits)
        if bits % 2 or bits > LARGEST:
            raise ValueError(
                f"bits is {bits}, but half of the bits are a key and half its value; give an even number of at most {LARGEST}"
            )
        check_range(self, length=(min_length, max_length))
        self.bits, self.half, self.same_length = bits, bits // 2, same_length
        self._check_keys(max_length)
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = bits + 1, bits // 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw pairs, and lay out the pairs, the delimiter, and the keys in random order."""
        self._check_keys(lengths[1])
        counts = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        keys = self._keys(batch_size, lengths[1], generator)
        values = draw_bits(batch_size, lengths[1], self.half, generator=generator)
        steps = 2 * counts + 1
        time = int(steps.max())
        since_begin = steps_since(torch.zeros_like(counts), time)
        since_query = steps_since(counts + 1, time)
        mask = (since_query >= 0) & (since_query < counts[:, None])
        order = _shuffled(counts, lengths[1], generator)
        asked = order.gather(1, since_query.clamp(0, lengths[1] - 1))

        inputs = torch.zeros(batch_size, time, self.input_size)
        listed = since_begin < counts[:, None]
        put_where(inputs, listed, pick(keys, since_begin), slice(0, self.half))
        put_where(inputs, listed, pick(values, since_begin), slice(self.half, self.bits))
        put_where(inputs, mask, pick(keys, asked), slice(0, self.half))
        inputs[:, :, self.bits] = (since_query == -1).float()
        return SequenceBatch(inputs=inputs, targets=pick(values, asked) * mask[:, :, None], mask=mask, lengths=steps)

    def _check_keys(self, pairs: int) -> None:
        if pairs > 2**self.half:
            raise ValueError(
                f"{pairs} pairs are requested, but there are {2**self.half} distinct keys of {self.half} bits; "
                "give fewer pairs or more bits"
            )

    def _keys(self, batch_size: int, count: int, generator: torch.Generator) -> Tensor:
        """Draw keys as bits; the keys of a row are distinct."""
        numbers = (
            torch.rand(batch_size, 2**self.half, dtype=torch.float32, generator=generator).topk(count, dim=1).indices
        )
        return (numbers[:, :, None] >> torch.arange(self.half) & 1).float()


def _shuffled(counts: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Return, for each row, the integers below its count in random order, followed by the other integers below `most`."""
    chances = torch.rand(len(counts), most, dtype=torch.float32, generator=generator)
    return (chances + (torch.arange(most) >= counts[:, None])).argsort(dim=1)


CARD = TaskCard(
    name="key-value",
    summary="Output the value of each queried key of a list of key-value pairs.",
    paper=("csordas2019",),
    inputs=("sequences",),
    small={"max_length": 2},
    unit="words",
    test_lengths=(2, 8, 16),
    picture_length=8,
)
