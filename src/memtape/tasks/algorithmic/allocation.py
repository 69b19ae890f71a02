"""Allocation: copy several sequences, one after another, which together exceed a small memory."""

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask
from memtape.tasks.algorithmic.succession import draw_counts, in_succession
from memtape.tasks.lengths import check_range


class Allocation(BitTask):
    """Copy a few random bit vectors after a delimiter, several times in a row with new vectors.

    Vectors are not needed after their copy, so a memory of ten slots suffices for all 50 vectors if slots are freed and reused.
    Input channels: the bits, then the delimiter. The length of an example is its number of copies. A copy of n vectors takes
    2 n + 1 steps. Chance level is one bit per target bit: 300 bits per sequence.

    Args:
        bits: number of bits of one vector.
        vectors: number of vectors in each copy.
        min_length: minimum number of copies in a training sequence.
        max_length: maximum number of copies in a training sequence.
        same_length: draw one number of copies for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a size is below 1, or the range of lengths is empty.

    Example:
        >>> task = Allocation(bits=2, vectors=3)
        >>> print(task.show(task.batch(0, 1, lengths=(2, 2))))
        Allocation, 14 steps
        input   0 ..#......#....
        input   1 ##.....#.#....
        input   2 ...#......#...
        target  0     ..#    ..#
        target  1     ##.    #.#

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, the figure
        of dynamic memory allocation among the extended data.
    """

    def __init__(
        self,
        *,
        bits: int = 6,
        vectors: int = 5,
        min_length: int = 10,
        max_length: int = 10,
        same_length: bool = False,
    ):
        checks.at_least(1, bits=bits, vectors=vectors)
        check_range(self, length=(min_length, max_length))
        self.bits, self.vectors, self.same_length = bits, vectors, same_length
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = bits + 1, bits

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw vectors and lay out the copies one after another."""
        fixed = (self.vectors, self.vectors)
        counts = draw_counts(batch_size, lengths, fixed, generator, same=self.same_length)
        return in_succession(counts, self.bits, generator)


CARD = TaskCard(
    name="allocation",
    summary="Copy ten sequences one after another, with room for two at a time.",
    paper=("graves2016",),
    inputs=("sequences",),
    small={"min_length": 2, "max_length": 2, "vectors": 2},
    unit="copies",
    test_lengths=(10, 20),
    picture_length=10,
)
