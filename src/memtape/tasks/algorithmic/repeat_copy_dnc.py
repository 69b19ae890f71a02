"""Repeat copy as in the code of the Differentiable Neural Computer, with a start and an end marker."""

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits, pick, put_where
from memtape.tasks.lengths import check_range, draw_lengths, steps_since


class RepeatCopyDNC(BitTask):
    """Repeat a sequence of random bit vectors, which follows a start marker, a given number of times; then an end marker.

    Input channels: the bits, the start marker, and the number of repeats divided by `repeats_scale`. Output channels: the bits,
    then the end marker. The length L of an example is its number of vectors. A sequence with n repeats takes L (n + 1) + 3
    steps.

    Args:
        bits: number of bits of one vector.
        min_length: minimum number of vectors in a training sequence.
        max_length: maximum number of vectors in a training sequence.
        min_repeats: minimum number of repeats.
        max_repeats: maximum number of repeats.
        repeats_scale: the divisor of the number of repeats in the input.
        same_length: draw one length and one number of repeats for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a size is below 1, or a range is empty.

    Example:
        >>> task = RepeatCopyDNC(bits=2, min_repeats=2)
        >>> print(task.show(task.batch(0, 1, lengths=(2, 2))))
        RepeatCopyDNC, 9 steps
        input   0 ..#......
        input   1 .........
        input   2 #........
        input   3 ...+.....
        target  0     .#.#.
        target  1     .....
        target  2     ....#

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, and its code
        at github.com/deepmind/dnc.
    """

    def __init__(
        self,
        *,
        bits: int = 4,
        min_length: int = 1,
        max_length: int = 2,
        min_repeats: int = 1,
        max_repeats: int = 2,
        repeats_scale: int = 10,
        same_length: bool = False,
    ):
        checks.at_least(1, bits=bits, repeats_scale=repeats_scale)
        check_range(self, length=(min_length, max_length))
        check_range(self, repeats=(min_repeats, max_repeats))
        self.bits, self.repeats_scale, self.same_length = bits, repeats_scale, same_length
        self.lengths = (min_length, max_length)
        self.repeats = (min_repeats, max_repeats)
        self.input_size, self.output_size = bits + 2, bits + 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw vectors and numbers of repeats, and lay out start marker, vectors, number, repeats and end marker."""
        counts = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        repeats = draw_lengths(batch_size, self.repeats, generator, same=self.same_length)
        vectors = draw_bits(batch_size, lengths[1], self.bits, generator=generator)
        answers = counts * repeats
        steps = answers + counts + 3
        time = int(steps.max())
        since_vectors = steps_since(torch.ones_like(counts), time)
        since_answer = steps_since(counts + 2, time)
        mask = (since_answer >= 0) & (since_answer <= answers[:, None])
        repeating = mask & (since_answer < answers[:, None])

        inputs = torch.zeros(batch_size, time, self.input_size)
        shown = (since_vectors >= 0) & (since_vectors < counts[:, None])
        put_where(inputs, shown, pick(vectors, since_vectors), slice(0, self.bits))
        inputs[:, 0, self.bits] = 1
        inputs[:, :, self.bits + 1] = (since_answer == -1) * (repeats / self.repeats_scale)[:, None]
        targets = torch.zeros(batch_size, time, self.output_size)
        put_where(targets, repeating, pick(vectors, since_answer % counts[:, None]), slice(0, self.bits))
        targets[:, :, self.bits] = (since_answer == answers[:, None]).float()
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=steps)


CARD = TaskCard(
    name="repeat-copy-dnc",
    summary="Repeat a sequence of bit vectors a given number of times, as in the code of the paper's authors.",
    paper=("graves2016",),
    inputs=("sequences",),
    unit="vectors",
    test_lengths=(2, 5, 10),
    picture_length=5,
)
