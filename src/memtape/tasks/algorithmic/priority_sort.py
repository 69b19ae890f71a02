"""Priority sort: output the vectors of highest priority in a list, sorted."""

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits, pick, put_where
from memtape.tasks.lengths import check_range, draw_lengths, steps_since


class PrioritySort(BitTask):
    """Sort random bit vectors by priority, and output those of highest priority in descending order.

    Input channels: the bits, the priority in [-1, 1], a delimiter. The length L of an example is its number of vectors. The
    answer consists of the share `answer_share` of them, rounded down but at least one: 16 of 20. Chance level is one bit per
    target bit: 128 bits per sequence.

    Args:
        bits: number of bits of one vector.
        min_length: minimum number of vectors in a training sequence.
        max_length: maximum number of vectors in a training sequence.
        answer_share: share of the vectors that the answer contains, in (0, 1].
        same_length: draw one length for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a size is below 1, the range of lengths is empty, or the share is outside (0, 1].

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4.5.
    """

    def __init__(
        self,
        *,
        bits: int = 8,
        min_length: int = 20,
        max_length: int = 20,
        answer_share: float = 0.8,
        same_length: bool = False,
    ):
        checks.at_least(1, bits=bits)
        check_range(self, length=(min_length, max_length))
        if not 0 < answer_share <= 1:
            raise ValueError(
                f"answer_share is {answer_share}, but it is a share of the vectors; give a number in (0, 1]"
            )
        self.bits, self.answer_share, self.same_length = bits, answer_share, same_length
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = bits + 2, bits

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw vectors and priorities, and lay out the vectors, the delimiter and the sorted answer."""
        counts = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        vectors = draw_bits(batch_size, lengths[1], self.bits, generator=generator)
        priorities = 2 * torch.rand(batch_size, lengths[1], dtype=torch.float32, generator=generator) - 1
        listed = steps_since(torch.zeros_like(counts), lengths[1]) < counts[:, None]
        order = torch.where(listed, priorities, -torch.inf).argsort(dim=1, descending=True, stable=True)
        answers = (counts.double() * self.answer_share + 1e-9).long().clamp(min=1)
        steps = counts + 1 + answers
        time = int(steps.max())
        since_begin = steps_since(torch.zeros_like(counts), time)
        since_answer = steps_since(counts + 1, time)
        given = since_begin < counts[:, None]
        mask = (since_answer >= 0) & (since_answer < answers[:, None])

        inputs = torch.zeros(batch_size, time, self.input_size)
        put_where(inputs, given, pick(vectors, since_begin), slice(0, self.bits))
        put_where(inputs, given, pick(priorities[:, :, None], since_begin), slice(self.bits, self.bits + 1))
        inputs[:, :, self.bits + 1] = (since_answer == -1).float()
        targets = pick(pick(vectors, order), since_answer) * mask[:, :, None]
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=steps)


CARD = TaskCard(
    name="priority-sort",
    summary="Output the vectors of highest priority of a list, in order.",
    paper=("graves2014",),
    inputs=("sequences",),
    small={"min_length": 4, "max_length": 4},
    unit="vectors",
    test_lengths=(20, 30),
    picture_length=30,
)
