"""Associative recall: output the item that follows a queried item in a list."""

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask, draw_bits, pick, put_where
from memtape.tasks.lengths import check_range, draw_lengths, steps_since


class AssociativeRecall(BitTask):
    """Recall the item that follows a queried item in a list of items.

    An item is an item delimiter followed by a few random bit vectors. The query is one of the items except the last, between
    two query delimiters. Input channels: the bits, the item delimiter, the query delimiter. The length of an example is its
    number of items. Chance level is one bit per bit of an item: 18 bits per sequence.

    Args:
        bits: number of bits of one vector.
        item_vectors: number of vectors in one item.
        min_length: minimum number of items in a training sequence, at least 2.
        max_length: maximum number of items in a training sequence.
        same_length: draw one number of items for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a size is below 1, the number of items is below 2, or the range is empty.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 4.3.
    """

    def __init__(
        self,
        *,
        bits: int = 6,
        item_vectors: int = 3,
        min_length: int = 2,
        max_length: int = 6,
        same_length: bool = False,
    ):
        checks.at_least(1, bits=bits, item_vectors=item_vectors)
        check_range(self, least=2, length=(min_length, max_length))
        self.bits, self.item_vectors, self.same_length = bits, item_vectors, same_length
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = bits + 2, bits

    def shortest_length(self) -> int:
        """Return 2, since an item must follow the queried one."""
        return 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw items and queries, and lay out the items, the query between delimiters, and the answer."""
        counts = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        vectors = draw_bits(batch_size, lengths[1] * self.item_vectors, self.bits, generator=generator)
        asked = (torch.rand(batch_size, dtype=torch.float32, generator=generator) * (counts - 1)).long()
        item_steps = self.item_vectors + 1
        query_begin = counts * item_steps
        answer_begin = query_begin + item_steps + 1
        steps = answer_begin + self.item_vectors
        time = int(steps.max())
        since_begin = steps_since(torch.zeros_like(counts), time)
        since_query = steps_since(query_begin, time)
        since_answer = steps_since(answer_begin, time)
        in_items = since_query < 0
        in_query = (since_query > 0) & (since_query <= self.item_vectors)
        mask = (since_answer >= 0) & (since_answer < self.item_vectors)

        inputs = torch.zeros(batch_size, time, self.input_size)
        place, item = since_begin % item_steps, since_begin // item_steps
        listed = pick(vectors, item * self.item_vectors + place - 1)
        put_where(inputs, in_items & (place > 0), listed, slice(0, self.bits))
        query = pick(vectors, asked[:, None] * self.item_vectors + since_query - 1)
        put_where(inputs, in_query, query, slice(0, self.bits))
        inputs[:, :, self.bits] = (in_items & (place == 0)).float()
        inputs[:, :, self.bits + 1] = ((since_query == 0) | (since_query == item_steps)).float()
        answer = pick(vectors, (asked[:, None] + 1) * self.item_vectors + since_answer)
        return SequenceBatch(inputs=inputs, targets=answer * mask[:, :, None], mask=mask, lengths=steps)


CARD = TaskCard(
    name="associative-recall",
    summary="Given an item of a list, output the item that followed it.",
    paper=("graves2014",),
    inputs=("sequences",),
    small={"max_length": 2},
    unit="items",
    test_lengths=(3, 6, 10, 15, 20),
    picture_length=10,
)
