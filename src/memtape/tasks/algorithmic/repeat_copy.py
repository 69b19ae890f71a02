"""Repeat copy: output a sequence of bit vectors a given number of times, then an end marker."""

import math

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits, pick, put_where
from memtape.tasks.lengths import check_range, draw_lengths, steps_since


class RepeatCopy(BitTask):
    """Repeat a sequence of random bit vectors a given number of times, then output an end marker.

    Input channels: the bits, a delimiter, and at the step of the delimiter the number of repeats, normalised to mean 0 and
    variance 1 over 1..`repeats_scale_max`. Output channels: the bits, then the end marker. The length L of an example is its
    number of vectors. A sequence with n repeats takes L + 1 + n L + 1 steps.

    Args:
        bits: number of bits of one vector.
        min_length: minimum number of vectors in a training sequence.
        max_length: maximum number of vectors in a training sequence.
        min_repeats: minimum number of repeats.
        max_repeats: maximum number of repeats.
        repeats_scale_max: the number of repeats is normalised by the mean and variance of 1..`repeats_scale_max`; keep this
            value when testing with more repeats.
        same_length: draw one length and one number of repeats for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a size is below 1, or a range is empty.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4.2.
    """

    def __init__(
        self,
        *,
        bits: int = 8,
        min_length: int = 1,
        max_length: int = 10,
        min_repeats: int = 1,
        max_repeats: int = 10,
        repeats_scale_max: int = 10,
        same_length: bool = False,
    ):
        checks.at_least(1, bits=bits)
        checks.at_least(2, repeats_scale_max=repeats_scale_max)
        check_range(self, length=(min_length, max_length))
        check_range(self, repeats=(min_repeats, max_repeats))
        self.bits, self.same_length = bits, same_length
        self.lengths = (min_length, max_length)
        self.repeats = (min_repeats, max_repeats)
        self.repeats_mean = (1 + repeats_scale_max) / 2
        self.repeats_deviation = math.sqrt((repeats_scale_max**2 - 1) / 12)
        self.input_size, self.output_size = bits + 2, bits + 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw vectors and numbers of repeats, and lay out the vectors, the number, the repeats and the end marker."""
        counts = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        repeats = draw_lengths(batch_size, self.repeats, generator, same=self.same_length)
        vectors = draw_bits(batch_size, lengths[1], self.bits, generator=generator)
        answers = counts * repeats
        steps = counts + 1 + answers + 1
        time = int(steps.max())
        since_begin = steps_since(torch.zeros_like(counts), time)
        since_answer = steps_since(counts + 1, time)
        mask = (since_answer >= 0) & (since_answer <= answers[:, None])
        repeating = (since_answer >= 0) & (since_answer < answers[:, None])

        inputs = torch.zeros(batch_size, time, self.input_size)
        put_where(inputs, since_begin < counts[:, None], pick(vectors, since_begin), slice(0, self.bits))
        at_number = since_answer == -1
        inputs[:, :, self.bits] = at_number.float()
        number = (repeats - self.repeats_mean) / self.repeats_deviation
        inputs[:, :, self.bits + 1] = at_number * number[:, None]
        targets = torch.zeros(batch_size, time, self.output_size)
        put_where(targets, repeating, pick(vectors, since_answer % counts[:, None]), slice(0, self.bits))
        targets[:, :, self.bits] = (since_answer == answers[:, None]).float()
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=steps)


CARD = TaskCard(
    name="repeat-copy",
    summary="Repeat a sequence of bit vectors a given number of times, then output an end marker.",
    paper=("graves2014",),
    inputs=("sequences",),
    small={"max_length": 2, "max_repeats": 2},
    unit="vectors",
    test_lengths=(5, 10, 15, 20),
    picture_length=15,
)
