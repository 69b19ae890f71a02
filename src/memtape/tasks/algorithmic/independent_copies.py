"""Independent copies: copy several sequences of different lengths, one after another."""

import torch

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.bits import BitTask
from memtape.tasks.algorithmic.succession import draw_counts, in_succession
from memtape.tasks.lengths import check_range


class IndependentCopies(BitTask):
    """Copy random bit vectors after a delimiter, followed by an end marker, several times in a row with new vectors.

    A memory that is smaller than all vectors together must be freed between the copies. Input channels: the bits, then the
    delimiter. Output channels: the bits, then the end marker. The length of an example is its number of copies. A copy of n
    vectors takes 2 n + 2 steps.

    Args:
        bits: number of bits of one vector.
        min_vectors: minimum number of vectors in a copy.
        max_vectors: maximum number of vectors in a copy.
        min_length: minimum number of copies in a training sequence.
        max_length: maximum number of copies in a training sequence.
        same_length: draw the numbers of copies and vectors once for all sequences of a batch instead of once for each.

    Raises:
        ValueError: a size is below 1, or a range is empty.

    Example:
        >>> task = IndependentCopies(bits=2, max_vectors=3)
        >>> print(task.show(task.batch(0, 1, lengths=(2, 2))))
        IndependentCopies, 14 steps
        input   0 ..#...........
        input   1 ##......#.....
        input   2 ...#......#...
        target  0     ..#.   ...
        target  1     ##..   #..
        target  2     ...#   ..#

    References:
        Csordas & Schmidhuber (2019), "Improving differentiable neural computers through memory masking, de-allocation, and link
        distribution sharpness control", arXiv:1904.10278, where it is called repeat copy; the paper scores all steps.
    """

    def __init__(
        self,
        *,
        bits: int = 8,
        min_vectors: int = 2,
        max_vectors: int = 14,
        min_length: int = 1,
        max_length: int = 8,
        same_length: bool = False,
    ):
        checks.at_least(1, bits=bits)
        check_range(self, vectors=(min_vectors, max_vectors))
        check_range(self, length=(min_length, max_length))
        self.bits, self.same_length = bits, same_length
        self.vectors = (min_vectors, max_vectors)
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = bits + 1, bits + 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw vectors and lay out the copies one after another."""
        counts = draw_counts(batch_size, lengths, self.vectors, generator, same=self.same_length)
        return in_succession(counts, self.bits, generator, end_marker=True)


CARD = TaskCard(
    name="independent-copies",
    summary="Copy sequences of different lengths, one after another, through a memory that must be freed between them.",
    paper=("csordas2019",),
    inputs=("sequences",),
    small={"max_length": 2, "max_vectors": 3},
    unit="copies",
    test_lengths=(2, 4, 8),
    picture_length=4,
)
