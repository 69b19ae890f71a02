"""Adding: output the sum of two marked numbers of a long sequence."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.lengths import check_range, draw_lengths, steps_since
from memtape.tasks.regression import RegressionTask, number_sums


class Adding(RegressionTask, DrawnTask):
    """Add the two marked numbers of a sequence of uniform numbers in 0..1, and output their sum at the last step.

    Input channels: the number, and a marker that is 1 at two steps. The length of an example is its number of steps. Always
    predicting 1 gives a mean squared error of 1/6, the variance of the sum of two uniform numbers.

    Args:
        min_length: minimum number of steps of a training sequence.
        max_length: maximum number of steps of a training sequence.
        markers: positions of the markers: "halves" puts one in each half, as in Arjovsky et al.; "anywhere" draws both from
            all steps.
        same_length: draw one length for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a length is below 2, the range is empty, or `markers` is unknown.

    Example:
        >>> task = Adding()
        >>> print(task.show(task.batch(0, 1, lengths=(5, 5))))
        Adding, 5 steps
        number 0.82 0.73 0.26 0.54 0.55
        marker    ^              ^
        target 1.37

    References:
        Hochreiter & Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8), section 5.4.
        Arjovsky, Shah & Bengio (2016), "Unitary evolution recurrent neural networks", arXiv:1511.06464, section 4.2.
        Bai, Kolter & Koltun (2018), "An empirical evaluation of generic convolutional and recurrent networks for sequence
        modeling", arXiv:1803.01271, for markers at any two steps.
    """

    scored = (Score(name="mse", label="mean squared error", short="mse"),)
    solved_at = 0.01

    def __init__(
        self,
        *,
        min_length: int = 100,
        max_length: int = 100,
        markers: Literal["halves", "anywhere"] = "halves",
        same_length: bool = False,
    ):
        check_range(self, least=2, length=(min_length, max_length))
        checks.one_of(("halves", "anywhere"), markers=markers)
        self.markers, self.same_length = markers, same_length
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = 2, 1

    def shortest_length(self) -> int:
        """Return 2, since two numbers are added."""
        return 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw numbers and marked steps, and compute the sums."""
        steps = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        numbers = torch.rand(batch_size, int(steps.max()), dtype=torch.float32, generator=generator)
        first, second = self._marked(steps, generator)
        since_begin = steps_since(torch.zeros_like(steps), numbers.shape[1])
        marks = (since_begin == first[:, None]) | (since_begin == second[:, None])
        numbers = numbers * (since_begin < steps[:, None])
        last = since_begin == steps[:, None] - 1
        total = (numbers * marks).sum(1)
        return SequenceBatch(
            inputs=torch.stack([numbers, marks.float()], dim=-1),
            targets=(total[:, None] * last)[:, :, None],
            mask=last,
            lengths=steps,
        )

    def _marked(self, steps: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw the two marked steps of each row."""
        chances = torch.rand(2, len(steps), dtype=torch.float64, generator=generator)
        if self.markers == "halves":
            half = steps // 2
            return (chances[0] * half).long(), half + (chances[1] * (steps - half)).long()
        first, other = (chances[0] * steps).long(), (chances[1] * (steps - 1)).long()
        return first, other + (other >= first)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the sums of `number_sums`, among them the squared error and the number of scored targets."""
        return number_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `mse`, the mean squared error."""
        return {"mse": tally["squared"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the mean squared error of always predicting 1."""
        return {"mse": 1 / 6}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the numbers, the markers, and the target; with `outputs` also the prediction."""
        length = int(batch.lengths[row])
        numbers, marks = batch.inputs[row, :length].T.tolist()
        lines = [
            f"{type(self).__name__}, {length} steps",
            "number " + " ".join(f"{number:.2f}" for number in numbers),
            "marker " + " ".join("   ^" if mark else "    " for mark in marks),
            f"target {float(batch.targets[row, length - 1, 0]):.2f}",
        ]
        if outputs is not None:
            lines.append(f"output {float(outputs[row, length - 1, 0]):.2f}")
        return "\n".join(line.rstrip() for line in lines)


CARD = TaskCard(
    name="adding",
    summary="Add the two marked numbers of a long sequence.",
    paper=("hochreiter1997", "arjovsky2016"),
    inputs=("sequences",),
    small={"min_length": 8, "max_length": 8},
    unit="steps",
)
