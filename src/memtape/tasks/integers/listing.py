"""Listing: read a long list of integers, and write it again, reversed, twice, or combined in pairs."""

from collections.abc import Callable, Mapping
from typing import Literal

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
from memtape.tasks.lengths import check_range, draw_lengths

END = 0
"""The class that ends a list and an answer."""

Integers = Int[Tensor, "rows time"]
Answers = Int[Tensor, "rows answer"]


def _sums(xs: Integers) -> Answers:
    half = xs.shape[1] // 2
    return (xs[:, :half] + xs.flip(1)[:, :half]) // 2


def _maxima(xs: Integers) -> Answers:
    half = xs.shape[1] // 2
    return torch.maximum(xs[:, 0 : 2 * half : 2], xs[:, 1 : 2 * half : 2])


ANSWERS: dict[str, Callable[[Integers], Answers]] = {
    "copy": lambda xs: xs,
    "reverse": lambda xs: xs.flip(1),
    "double": lambda xs: torch.cat([xs, xs], 1),
    "add": _sums,
    "max": _maxima,
}
"""The answer of each operation, from the integers of a list."""


class Listing(ClassificationTask, DrawnTask):
    r"""Read T integers and an end marker, and then write an answer and an end marker, with inputs of zeros.

    "copy", "reverse" and "double" repeat the list, in order, in reverse, or twice. "add" combines the first with the last:

    $$y_i = \lfloor (x_i + x_{T+1-i}) / 2 \rfloor, \qquad i = 1 \dots T/2$$

    and "max" neighbours, $y_i = \max(x_{2i-1}, x_{2i})$. Integers are uniform in 1 to 9, for "max" in 1 to 50. The inputs are
    one-hot vectors, of which entry 0 is the end marker. `accuracy` counts all steps of the answers with their end markers. The
    length of an example is T, the same for all rows of a batch.

    The source has T + 1 steps, the value of `--model.writing-steps` for machines that write in intervals.

    Args:
        operation: what the answer is.
        min_length: minimum number of integers in training.
        max_length: maximum number of integers in training.

    Raises:
        ValueError: the operation is unknown, or the range of lengths is empty or below 2.

    Example:
        >>> task = Listing(operation="add")
        >>> print(task.show(task.batch(0, 1, lengths=(6, 6))))
        Listing, 11 steps
        input  337514|....
        target        326|

    References:
        Le, Tran & Venkatesh (2019), "Learning to remember more with less memorization", arXiv:1901.01347, section 4.1, and
        the authors' code.
    """

    scored = (
        Score(name="cross_entropy", label="cross-entropy, nats per step", short="nats"),
        Score(name="accuracy", label="share of correct integers", short="accuracy", higher_is_better=True),
    )
    solved_at = 1.0

    def __init__(
        self,
        *,
        operation: Literal["copy", "reverse", "double", "add", "max"] = "copy",
        min_length: int = 50,
        max_length: int = 50,
    ):
        checks.one_of(tuple(ANSWERS), operation=operation)
        check_range(self, 2, length=(min_length, max_length))
        self.operation, self.lengths = operation, (min_length, max_length)
        self.largest = 50 if operation == "max" else 9
        self.input_size = self.output_size = self.largest + 1

    def shortest_length(self) -> int:
        """Return 2, the number of integers of a pair."""
        return 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw lists of one length, and lay out the integers, the marker, and zeros for the answer."""
        length = int(draw_lengths(batch_size, lengths, generator, same=True)[0])
        listed = torch.randint(1, self.largest + 1, (batch_size, length), generator=generator)
        end = torch.full((batch_size, 1), END)
        answers = torch.cat([ANSWERS[self.operation](listed), end], 1)
        source = functional.one_hot(torch.cat([listed, end], 1), self.input_size).float()
        inputs = functional.pad(source, (0, 0, 0, answers.shape[1]))
        targets = functional.pad(answers, (length + 1, 0))
        mask = torch.zeros(targets.shape, dtype=torch.bool)
        mask[:, length + 1 :] = True
        return SequenceBatch(
            inputs=inputs, targets=targets, mask=mask, lengths=torch.full((batch_size,), inputs.shape[1])
        )

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all steps of the answers."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` and `accuracy`."""
        return {"cross_entropy": tally["nats"] / tally["scored"], "accuracy": tally["right"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of a uniform guess among the integers, whatever the operation."""
        return {"accuracy": 1 / self.largest}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a column for each step, `|` for an end marker and `.` for an input of zeros.

        With `outputs` the most likely integers of the answer follow.
        """
        names = ["|", *map(str, range(1, self.largest + 1))]
        given = batch.inputs[row]
        rows = {"input": [names[int(one.argmax())] if one.any() else "." for one in given]}
        found = {"target": batch.targets[row]} | ({} if outputs is None else {"output": outputs[row].argmax(-1)})
        for label, integers in found.items():
            pairs = zip(integers.tolist(), batch.mask[row].tolist(), strict=True)
            rows[label] = [names[integer] if scored else "" for integer, scored in pairs]
        title = f"{type(self).__name__}, {len(given)} steps"
        return in_columns(title, rows)


CARD = TaskCard(
    name="listing",
    summary="Repeat, reverse or combine a list of 50 integers.",
    paper=("le2019",),
    inputs=("sequences",),
    small={"min_length": 4, "max_length": 4},
    unit="integers",
    test_lengths=(50, 100),
    picture_length=20,
)
