"""Key-value: remember pairs of words, and say the second one where the first is shown."""

import torch
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits, pick, put_where
from memtape.tasks.lengths import check_range, draw_lengths, steps_since

LARGEST = 32
"""Bits of a word; all keys there are take part in each draw."""


class KeyValue(BitTask):
    """See words whose first half is a key and whose second half is its value, then the keys alone, and say their values.

    The keys of a sequence differ from one another; after a delimiter all of them come again, in another order, and each is
    answered at its own step. Input channels: the key, the value, the delimiter. Its length is the number of pairs. A sequence
    of n pairs takes 2 n + 1 steps; a guess costs 6 bits a pair.

    Args:
        bits: number of bits of one word, an even number.
        min_length: fewest pairs of a training sequence.
        max_length: most pairs of a training sequence.
        same_length: draw one number of pairs for a whole batch (else one for each row).

    Raises:
        ValueError: fewer than 2 bits, more than 32 or an odd number of them, an empty range, or more pairs than there are keys.

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
        distribution sharpness control", arXiv:1904.10278, and its code, where the pairs are shown in the order of their keys.
    """

    def __init__(self, *, bits: int = 12, min_length: int = 2, max_length: int = 16, same_length: bool = False):
        checks.at_least(2, bits=bits)
        if bits % 2 or bits > LARGEST:
            raise ValueError(
                f"bits is {bits}, but half of them are a key and half its value; give an even number of at most {LARGEST}"
            )
        check_range(self, length=(min_length, max_length))
        self.bits, self.half, self.same_length = bits, bits // 2, same_length
        self._check_keys(max_length)
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = bits + 1, bits // 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw pairs and lay them out: pairs, delimiter, keys in another order."""
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
                f"{pairs} pairs are asked for, but there are {2**self.half} keys of {self.half} bits, and no key comes twice; "
                "give fewer pairs or more bits"
            )

    def _keys(self, batch_size: int, count: int, generator: torch.Generator) -> Tensor:
        """Return bits of keys of which no row has one twice."""
        numbers = torch.rand(batch_size, 2**self.half, generator=generator).topk(count, dim=1).indices
        return (numbers[:, :, None] >> torch.arange(self.half) & 1).float()


def _shuffled(counts: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Return for each row the numbers below its count in a random order, followed by the others."""
    chances = torch.rand(len(counts), most, generator=generator)
    return (chances + (torch.arange(most) >= counts[:, None])).argsort(dim=1)


CARD = TaskCard(
    name="key-value",
    summary="Given one half of a word of a list, output the other half.",
    paper=("csordas2019",),
    inputs=("sequences",),
    small={"max_length": 2},
    unit="words",
    test_lengths=(2, 8, 16),
    picture_length=8,
)
