"""Copy: output a sequence of bit vectors again after a delimiter."""

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits, pick, put_where
from memtape.tasks.lengths import check_range, draw_lengths, steps_since


class Copy(BitTask):
    """Copy a sequence of random bit vectors after a delimiter.

    Input channels: the bits, then the delimiter. The length L of an example is its number of vectors; a sequence takes 2 L + 1
    steps. With a start marker, in a further channel, it takes one step more. Chance level is one bit per target bit: on the
    training lengths 84 bits per sequence.

    Args:
        bits: number of bits of one vector.
        min_length: minimum number of vectors in a training sequence.
        max_length: maximum number of vectors in a training sequence.
        same_length: draw one length for all sequences of a batch instead of one for each.
        start_marker: mark the step before the first vector, in a channel of its own.
        test_length: a length of the final evaluation besides the usual ones; none for no other.

    Raises:
        ValueError: a size is below 1, or the range of lengths is empty.

    Example:
        >>> task = Copy(bits=2)
        >>> print(task.show(task.batch(0, 1, lengths=(3, 3))))
        Copy, 7 steps
        input   0 #......
        input   1 .##....
        input   2 ...#...
        target  0     #..
        target  1     .##

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4.1.
    """

    def __init__(
        self,
        *,
        bits: int = 8,
        min_length: int = 1,
        max_length: int = 20,
        same_length: bool = False,
        start_marker: bool = False,
        test_length: int | None = None,
    ):
        checks.at_least(1, bits=bits)
        check_range(self, length=(min_length, max_length))
        if test_length is not None:
            checks.at_least(1, test_length=test_length)
            self.test_parts = (test_length,)
        self.bits, self.same_length, self.start_marker = bits, same_length, start_marker
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = bits + 1 + start_marker, bits

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw vectors, and lay out the vectors, the delimiter and the answer."""
        counts = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        vectors = draw_bits(batch_size, lengths[1], self.bits, generator=generator)
        first = torch.full_like(counts, int(self.start_marker))
        time = 2 * int(counts.max()) + 1 + self.start_marker
        since_begin = steps_since(first, time)
        since_answer = steps_since(first + counts + 1, time)
        mask = (since_answer >= 0) & (since_answer < counts[:, None])

        inputs = torch.zeros(batch_size, time, self.input_size)
        listed = (since_begin >= 0) & (since_begin < counts[:, None])
        put_where(inputs, listed, pick(vectors, since_begin), slice(0, self.bits))
        inputs[:, :, self.bits] = (since_answer == -1).float()
        inputs[:, : int(self.start_marker), self.bits + 1 :] = 1
        targets = pick(vectors, since_answer) * mask[:, :, None]
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=2 * counts + 1 + first)


CARD = TaskCard(
    name="copy",
    summary="Copy a sequence of bit vectors after a delimiter.",
    paper=("graves2014",),
    inputs=("sequences",),
    small={"max_length": 3},
    unit="vectors",
    test_lengths=(10, 20, 30, 50, 120),
    picture_length=50,
)
