"""Nth farthest: output which vector of a sequence is the Nth farthest from another one."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.formal.columns import in_columns
from memtape.tasks.lengths import check_range, draw_lengths, steps_since

GRID = 2**23
"""Vectors are multiples of 1 / GRID, so that distances are computed exactly."""


class NthFarthest(ClassificationTask, DrawnTask):
    r"""Find the Nth farthest vector from vector m, in Euclidean distance, among labelled vectors in random order.

    A step has a vector, uniform in $[-1, 1)$, its label, and the question, N and m, the same at all steps. The vectors of a
    sequence have different labels. Input channels: the vector, and one-hot vectors of its label, of N and of m. The target is
    the label of the Nth farthest vector, at the last step. N = 1 is the farthest; with the largest N it is m itself, at a
    distance of 0. The length of an example is its number of vectors.

    `accuracy` without distances is 1/4 for 8 vectors: m if N is the largest, and chance among the 7 others otherwise; a
    constant prediction has 1/8.

    Args:
        dimensions: size of one vector.
        min_length: minimum number of vectors in training, at least 2.
        max_length: maximum number of vectors in training, and the number of labels.

    Raises:
        ValueError: a size is below 1, the range of lengths is empty or below 2, or a batch has more vectors than labels.

    Example:
        >>> task = NthFarthest(dimensions=2, min_length=4, max_length=4)
        >>> print(task.show(task.batch(0, 1)))
        NthFarthest, 4 steps
        question N = 2, m = 2
        label    4    3    1    2
        distance 0.53 1.07 0.82 0.00
        target   1

    References:
        Santoro et al. (2018), "Relational recurrent neural networks", arXiv:1806.01822, section 4.1.
    """

    scored = (Score(name="accuracy", label="share of correct answers", short="accuracy", higher_is_better=True),)
    solved_at = 0.98

    def __init__(self, *, dimensions: int = 16, min_length: int = 8, max_length: int = 8):
        checks.at_least(1, dimensions=dimensions)
        check_range(self, least=2, length=(min_length, max_length))
        self.dimensions, self.labels = dimensions, max_length
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = dimensions + 3 * max_length, max_length

    def shortest_length(self) -> int:
        """Return 2, since with one vector there is nothing to compare."""
        return 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw vectors, labels and questions, and sort the vectors by their distances."""
        if lengths[1] > self.labels:
            raise ValueError(
                f"{lengths[1]} vectors were requested, but NthFarthest has {self.labels} labels, one for each vector; "
                f"request at most {self.labels}, or raise max_length"
            )
        counts = draw_lengths(batch_size, lengths, generator)
        time = int(counts.max())
        vectors = torch.randint(-GRID, GRID, (batch_size, time, self.dimensions), generator=generator)
        chances = torch.rand(batch_size, self.labels + 2, dtype=torch.float64, generator=generator)
        labels = chances[:, 2:].argsort(-1)[:, :time]
        n, place = (chances[:, :2] * counts[:, None]).long().unbind(1)
        nearest = _by_distance(vectors, place, counts)
        answer = labels.gather(1, nearest.gather(1, (counts - 1 - n)[:, None]))
        m = labels.gather(1, place[:, None])
        question = torch.cat([self._one_hot(n[:, None]), self._one_hot(m)], -1).expand(-1, time, -1)
        inputs = torch.cat([vectors.float() / GRID, self._one_hot(labels), question], -1)
        since_begin = steps_since(torch.zeros_like(counts), time)
        inside, last = since_begin < counts[:, None], since_begin == counts[:, None] - 1
        return SequenceBatch(inputs=inputs * inside[..., None], targets=answer * last, mask=last, lengths=counts)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all answers."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`."""
        return {"accuracy": tally["right"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of a constant prediction."""
        return {"accuracy": 1 / self.labels}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: N and m, a column for each vector with its label and its distance, and the target.

        With `outputs` the most likely label follows.
        """
        count = int(batch.lengths[row])
        parts = batch.inputs[row, :count].split([self.dimensions, *[self.labels] * 3], -1)
        vectors, (labels, n, m) = parts[0], (part.argmax(-1) for part in parts[1:])
        distances = (vectors - vectors[labels == m]).norm(dim=-1)
        answers = {"target": batch.targets[row, count - 1]}
        if outputs is not None:
            answers["output"] = outputs[row, count - 1].argmax()
        title = f"{type(self).__name__}, {count} steps\nquestion N = {n[0] + 1}, m = {m[0] + 1}"
        columns = {
            "label": [f"{label + 1}" for label in labels],
            "distance": [f"{distance:.2f}" for distance in distances],
        }
        return in_columns(title, columns | {name: [f"{label + 1}"] for name, label in answers.items()})

    def _one_hot(self, labels: Int[Tensor, "*rows"]) -> Float[Tensor, "*rows labels"]:
        return functional.one_hot(labels, self.labels).float()


def _by_distance(
    vectors: Int[Tensor, "batch time dimensions"], place: Int[Tensor, " batch"], counts: Int[Tensor, " batch"]
) -> Int[Tensor, "batch time"]:
    """Return the places of the vectors of each row, sorted by their distance from the vector at one place."""
    chosen = vectors[torch.arange(len(place)), place]
    squared = (vectors - chosen[:, None]).square().sum(-1)
    absent = steps_since(torch.zeros_like(counts), vectors.shape[1]) >= counts[:, None]
    return squared.masked_fill(absent, torch.iinfo(squared.dtype).max).argsort(dim=-1, stable=True)


CARD = TaskCard(
    name="nth-farthest",
    summary="Find the Nth farthest vector from a given one among eight labelled vectors.",
    paper=("santoro2018",),
    inputs=("sequences",),
    small={"dimensions": 2, "min_length": 3, "max_length": 3},
    unit="vectors",
)
