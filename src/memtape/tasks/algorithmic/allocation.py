"""Allocation: copy one sequence after another, more than a memory can hold at a time."""

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask
from memtape.tasks.algorithmic.succession import draw_counts, in_succession
from memtape.tasks.lengths import check_range


class Allocation(BitTask):
    """See a few random bit vectors and a delimiter, say the vectors again, and then the same with others, ten times over.

    What was said is needed no more, so that a memory of ten slots is enough for all 50 vectors, if slots are freed and used
    again. Input channels: the bits, then the delimiter. Its length is the number of copies. A copy of n vectors takes 2 n + 1
    steps; a guess costs all bits, 300.

    Args:
        bits: number of bits of one vector.
        vectors: number of vectors of each copy.
        min_length: fewest copies of a training sequence.
        max_length: most copies of a training sequence.
        same_length: draw one number of copies for a whole batch (else one for each row).

    Raises:
        ValueError: a size below 1, or an empty range of lengths.

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
        """Draw copies and lay them out one after another."""
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
