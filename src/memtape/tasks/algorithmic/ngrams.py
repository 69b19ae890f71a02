"""Dynamic N-grams: predict the next bit of an N-gram source that is drawn for each sequence."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits
from memtape.tasks.lengths import check_range, draw_lengths, steps_since

BETA = 0.5
"""Both parameters of the Beta distribution from which the sources are drawn."""


class DynamicNGrams(BitTask):
    """Predict each bit of a sequence from the previous bits.

    Each sequence has its own table: for each context of `order` bits, the probability that the next bit is 1, drawn from
    Beta(1/2, 1/2). The first bits, which have no full context, are uniform. The input at a step is the previous bit (0 at the
    first step), and all bits are scored, as in the paper. The optimal predictor, `optimal_logits`, has a cost of 133.1 bits per
    sequence of 200 bits.

    Args:
        order: number of bits of a context.
        min_length: minimum number of bits in a training sequence.
        max_length: maximum number of bits in a training sequence.
        same_length: draw one length for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a size is below 1, or the range of lengths is empty.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4.4.
    """

    inputs_repeat_targets = True

    def __init__(self, *, order: int = 5, min_length: int = 200, max_length: int = 200, same_length: bool = False):
        checks.at_least(1, order=order)
        check_range(self, length=(min_length, max_length))
        self.order, self.same_length = order, same_length
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = 1, 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw a table for each sequence, and then its bits in order."""
        counts = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        time = int(counts.max())
        table = _beta(batch_size, 2**self.order, generator)
        luck = torch.rand(batch_size, time, dtype=torch.float32, generator=generator)
        bits = torch.zeros(batch_size, time)
        first = min(self.order, time)
        bits[:, :first] = draw_bits(batch_size, first, generator=generator)
        context = self._contexts(bits[:, :first])
        for t in range(first, time):
            bits[:, t] = (luck[:, t] < table.gather(1, context[:, None])[:, 0]).float()
            context = (2 * context + bits[:, t].long()) % 2**self.order
        mask = steps_since(counts, time) < 0
        bits = bits * mask
        inputs = torch.cat([torch.zeros(batch_size, 1), bits[:, :-1]], dim=1) * mask
        return SequenceBatch(inputs=inputs[:, :, None], targets=bits[:, :, None], mask=mask, lengths=counts)

    def optimal_logits(self, batch: SequenceBatch) -> Float[Tensor, "batch time 1"]:
        r"""Return the logits of the optimal predictor, which does not know the table.

        $$P(1) = \frac{N_1 + 1/2}{N_1 + N_0 + 1}$$

        $N_1$ and $N_0$ count the ones and zeros that have followed the current context so far (Krichevsky & Trofimov's
        estimator, Bayes-optimal under the Beta prior). The first `order` bits are predicted with probability 1/2.
        """
        bits = batch.targets[:, :, 0]
        rows, time = bits.shape
        seen = torch.full((rows, 2**self.order, 2), BETA)
        logits = torch.zeros(rows, time, 1)
        context = self._contexts(bits[:, : self.order])
        every = torch.arange(rows)
        for t in range(self.order, time):
            zeros, ones = seen[every, context].unbind(-1)
            logits[:, t, 0] = torch.log(ones / zeros)
            seen[every, context, bits[:, t].long()] += 1
            context = (2 * context + bits[:, t].long()) % 2**self.order
        return logits

    def _contexts(self, bits: Tensor) -> Tensor:
        context = torch.zeros(len(bits), dtype=torch.long)
        for bit in bits.long().unbind(1):
            context = 2 * context + bit
        return context


def _beta(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    r"""Draw from Beta(1/2, 1/2), the arcsine distribution: $\sin^2(\pi u / 2)$ of a uniform $u$."""
    return torch.sin(torch.rand(rows, columns, dtype=torch.float32, generator=generator) * torch.pi / 2) ** 2


CARD = TaskCard(
    name="ngrams",
    summary="Predict the next bit of a source that is drawn anew for every sequence.",
    paper=("graves2014",),
    inputs=("sequences",),
    small={"min_length": 20, "max_length": 20, "order": 1},
    unit="bits",
    test_lengths=(200, 400),
    picture_length=240,
)
