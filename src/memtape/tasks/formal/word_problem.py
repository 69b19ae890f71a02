"""Word problem: multiply the elements of a group, one after another."""

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
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.formal.columns import symbols_in_columns
from memtape.tasks.formal.permutation_groups import GENERATORS, group_of
from memtape.tasks.lengths import check_range, draw_lengths, steps_since


class WordProblem(ClassificationTask, DrawnTask):
    """Output the product of the elements of a finite group up to each step.

    Each input is an element of the group, uniform among two generators or among all elements; the target is the product of
    all inputs so far, a later one to the left of an earlier one. All steps are scored, and a sequence is correct if it has no
    error. "Z2" is parity: its inputs are 0 and 1. Groups that are not solvable, "A5" and "S5", are complete for the circuit
    class NC1.

    Args:
        group: the group: the cyclic groups of 2 and of 60 elements, the symmetric groups of 3 and of 5 points, the alternating
            group of 5 points, or the product of that of 4 points with the cyclic group of 5 elements.
        inputs: which elements are inputs: two generators, or all elements.
        min_length: minimum number of steps of a training sequence.
        max_length: maximum number of steps of a training sequence.

    Raises:
        ValueError: the group or the inputs are unknown, or the range of lengths is empty.

    Example:
        >>> task = WordProblem(group="S3")
        >>> print(task.show(task.batch(0, 1, lengths=(6, 6))))
        WordProblem, 6 steps
        input  211212
        target 242534

    References:
        Barrington (1989), "Bounded-width polynomial-size branching programs recognize exactly those languages in NC1", Journal
        of Computer and System Sciences 38(1).
        Merrill, Petty & Sabharwal (2024), "The illusion of state in state-space models", arXiv:2404.08819.
        Grazzi et al. (2025), "Unlocking state-tracking in linear RNNs through negative eigenvalues", arXiv:2411.12537, for the
        lengths.
    """

    scored = (
        Score(name="step_accuracy", label="share of correct products", short="steps", higher_is_better=True),
        Score(name="accuracy", label="share of sequences without an error", short="accuracy", higher_is_better=True),
    )
    solved_at = 1.0
    vocabulary: tuple[str, ...]

    def __init__(
        self,
        *,
        group: Literal["Z2", "Z60", "S3", "A5", "A4xZ5", "S5"] = "S5",
        inputs: Literal["generators", "all"] = "generators",
        min_length: int = 3,
        max_length: int = 40,
    ):
        checks.one_of(tuple(GENERATORS), group=group)
        checks.one_of(("generators", "all"), inputs=inputs)
        check_range(self, length=(min_length, max_length))
        self.group, self.inputs = group, inputs
        self.lengths = (min_length, max_length)
        self._group = group_of(group)
        elements = len(self._group.elements)
        self._inputs = torch.tensor(self._group.generators if inputs == "generators" else range(elements))
        self.vocabulary = tuple(map(str, self._inputs.tolist()))
        self.input_size, self.output_size = len(self._inputs), elements

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw elements, and multiply them."""
        sizes = draw_lengths(batch_size, lengths, generator)
        inputs = torch.randint(0, self.input_size, (batch_size, int(sizes.max())), generator=generator)
        state, states = torch.zeros(batch_size, dtype=torch.long), []
        for element in self._inputs[inputs].unbind(1):
            state = self._group.products[element, state]
            states.append(state)
        mask = steps_since(sizes, inputs.shape[1]) < 0
        return SequenceBatch(inputs=inputs * mask, targets=torch.stack(states, 1) * mask, mask=mask, lengths=sizes)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all steps and sequences."""
        wrong = (outputs.detach().argmax(-1) != batch.targets) & batch.mask
        return {
            **class_sums(outputs, batch),
            "sequences_right": float((~wrong.any(1)).sum()),
            "sequences": float(len(batch)),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `step_accuracy` and `accuracy`."""
        return {
            "step_accuracy": tally["right"] / tally["scored"],
            "accuracy": tally["sequences_right"] / tally["sequences"],
        }

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of a uniform random element at each step."""
        return {"step_accuracy": 1 / self.output_size}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the numbers of the elements and of their products, 0 for the identity.

        With `outputs` the most likely products follow.
        """
        name, numbers = type(self).__name__, [str(number) for number in range(self.output_size)]
        return symbols_in_columns(name, batch, outputs, row, symbols=self.vocabulary, classes=numbers)


CARD = TaskCard(
    name="word-problem",
    summary="Multiply the elements of a finite group one after another, such as parity or the permutations of five points.",
    paper=("merrill2024", "grazzi2025"),
    inputs=("sequences",),
    small={"group": "S3", "max_length": 6},
    unit="elements",
    test_lengths=(40, 100, 256, 500),
    picture_length=50,
)
