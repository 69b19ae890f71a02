"""Reversal: read bit vectors and a delimiter, then output the vectors in reverse order."""

import torch

from memtape import SequenceBatch, TaskCard
from memtape.tasks.algorithmic.bits import BitTask


class Reversal(BitTask):
    """Output a sequence of bit vectors in reverse order.

    Args:
        bits: number of bits of one vector.
        max_length: most vectors of a training sequence.
    """

    def __init__(self, *, bits: int = 4, max_length: int = 5):
        self.bits, self.lengths = bits, (1, max_length)
        self.input_size, self.output_size = bits + 1, bits

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw one length for the batch, and lay its sequences out: vectors, delimiter, answer."""
        count = int(torch.randint(lengths[0], lengths[1] + 1, (), generator=generator))
        vectors = torch.randint(2, (batch_size, count, self.bits), generator=generator).float()
        time = 2 * count + 1
        inputs, targets = torch.zeros(batch_size, time, self.bits + 1), torch.zeros(batch_size, time, self.bits)
        inputs[:, :count, :-1], inputs[:, count, -1] = vectors, 1.0
        targets[:, count + 1 :] = vectors.flip(1)
        mask = (torch.arange(time) > count).expand(batch_size, time)
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=torch.full((batch_size,), time))


CARD = TaskCard(
    name="reversal",
    summary="Output a sequence of bit vectors in reverse order.",
    unit="vectors",
    test_lengths=(5, 10),
)
