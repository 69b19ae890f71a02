"""Number answers: tasks that read one or two lists of distinct numbers and write another list of the same length."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.inputs.pairs import BOUNDARY, PAIRS, Pairs, given_for
from memtape.core.inputs.two_views import TWO_VIEWS, TwoViews
from memtape.core.score import Score
from memtape.core.task import generator_for
from memtape.tasks.classification import ClassificationTask
from memtape.tasks.edit_distance import edit_distance
from memtape.tasks.lengths import draw_lengths, steps_since

FEWEST = 2
"""The smallest number of an answer; smaller symbols end it."""

Numbers = Int[Tensor, "rows time"]


class NumberAnswers(ClassificationTask):
    r"""Abstract task of lists of numbers, which are their own symbols.

    Symbol 0, the boundary, ends an answer. As a sequence: the lists, with a boundary between two of them, followed by
    boundaries while the answer is written. As a pair: the same lists as the source, and the answer, shifted by one step, as
    the input of the decoder. As two views: each list by itself. The answer and its boundary are scored.

    Before it is scored an answer $\hat y$ is cut at its first symbol below 2, and has at most one number more than the target
    $y$. With the edit distance d of Levenshtein,

    $$\text{accuracy} = \frac{|\{i : \hat y_i = y_i\}|}{\max(|\hat y|, |y|)}, \qquad
    \text{edit distance} = \frac{d(\hat y, y)}{\max(|\hat y|, |y|)},$$

    averaged over answers. Networks that receive the true symbols in evaluations, such as `Seq2Seq`, are scored with them; all
    others are scored as they decode alone.

    Attributes:
        distinct: how many different numbers there are, the longest length of a list.
        same_length: whether all lists of a batch have one length.
    """

    scored = (
        Score(name="edit_distance", label="normalised edit distance", short="distance"),
        Score(name="accuracy", label="share of correct numbers", short="accuracy", higher_is_better=True),
    )
    solved_at = 1.0
    distinct: int
    same_length: ClassVar[bool]

    @abstractmethod
    def drawn(
        self, steps: Int[Tensor, " rows"], time: int, generator: torch.Generator
    ) -> tuple[Sequence[Numbers], Numbers]:
        """Draw the lists of each row, and return them with their answers; the padding has any value.

        Args:
            steps: the length of each list.
            time: the largest of these lengths.
            generator: source of all random numbers.
        """

    def check_longest(self, longest: int) -> None:
        """Raise an error if there are fewer numbers than a list of distinct ones needs.

        Raises:
            ValueError: there are too few.
        """
        if longest > self.distinct:
            raise ValueError(
                f"the longest length is {longest}, but the lists of {type(self).__name__} have distinct numbers, and there are "
                f"{self.distinct}; give shorter lengths or more numbers"
            )

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Draw lists and answers with a generator seeded by the seed, the split and the index."""
        self.check_longest(lengths[1])
        generator = generator_for(seed, split, index)
        steps = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        time = int(steps.max())
        lists, answers = self.drawn(steps, time, generator)
        inside = steps_since(steps, time) < 0
        lists = [numbers * inside for numbers in lists]
        targets = torch.cat([answers * inside, torch.full((batch_size, 1), BOUNDARY)], 1)
        scored = steps_since(steps + 1, time + 1) < 0
        inputs: Any
        if input_kind == TWO_VIEWS.name:
            first, second = lists
            inputs = TwoViews(
                first=first, first_lengths=steps, second=second, second_lengths=steps, given=given_for(targets)
            )
            return SequenceBatch(inputs=inputs, targets=targets, mask=scored, lengths=steps + 1)
        source, source_steps = _joined(lists, steps)
        if input_kind == PAIRS.name:
            inputs = Pairs(source=source, source_lengths=source_steps, given=given_for(targets))
            return SequenceBatch(inputs=inputs, targets=targets, mask=scored, lengths=steps + 1)
        total = source_steps + steps + 1
        since = steps_since(source_steps, int(total.max()))
        mask = (since >= 0) & (since <= steps[:, None])
        inputs = functional.pad(source, (0, since.shape[1] - source.shape[1]), value=BOUNDARY)
        whole = targets.gather(1, since.clamp(0, time)) * mask
        return SequenceBatch(inputs=inputs, targets=whole, mask=mask, lengths=total)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the sums of accuracies and edit distances, and the number of answers."""
        distance = accuracy = 0.0
        for found, wanted, mask in zip(outputs.detach().argmax(-1), batch.targets, batch.mask, strict=True):
            answer, target = _cut(found[mask].tolist()), _cut(wanted[mask].tolist())
            longer = max(len(answer), len(target))
            distance += edit_distance(answer, target) / longer
            accuracy += sum(one == other for one, other in zip(answer, target, strict=False)) / longer
        return {"distance": distance, "accuracy": accuracy, "answers": float(len(batch))}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `edit_distance` and `accuracy`."""
        return {
            "edit_distance": tally["distance"] / tally["answers"],
            "accuracy": tally["accuracy"] / tally["answers"],
        }

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of the best constant answer of the length of the target."""
        return {"accuracy": 1 / self.distinct}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the lists and the target; with `outputs` also the most likely numbers."""
        scored = batch.mask[row]
        if batch.kind is TWO_VIEWS:
            views: Any = batch.inputs
            shown = {
                "first ": views.first[row, : int(views.first_lengths[row])],
                "second": views.second[row, : int(views.second_lengths[row])],
            }
        elif batch.kind is PAIRS:
            shown = {"source": batch.inputs.source[row, : int(batch.inputs.source_lengths[row])]}
        else:
            shown = {"source": batch.inputs[row, : int(scored.int().argmax())]}
        shown["target"] = batch.targets[row][scored]
        if outputs is not None:
            shown["output"] = outputs[row][scored].argmax(-1)
        lines = [
            f"{name} {' '.join(str(n) if n != BOUNDARY else '|' for n in numbers.tolist())}"
            for name, numbers in shown.items()
        ]
        return "\n".join([f"{type(self).__name__}, {int(batch.lengths[row])} steps", *lines])


def distinct_numbers(rows: int, time: int, count: int, generator: torch.Generator) -> Numbers:
    """Draw distinct numbers from 0 to `count` - 1 in each row, in random order."""
    return torch.rand(rows, count, generator=generator, dtype=torch.float32).argsort(1)[:, :time]


def _joined(
    lists: Sequence[Numbers], steps: Int[Tensor, " rows"]
) -> tuple[Int[Tensor, "rows joined"], Int[Tensor, " rows"]]:
    """Return the lists of each row one after another, with a boundary between two of them, and their total lengths."""
    source = torch.full((len(steps), len(lists) * (int(steps.max()) + 1) - 1), BOUNDARY)
    for number, numbers in enumerate(lists):
        places = number * (steps[:, None] + 1) + torch.arange(numbers.shape[1])
        source.scatter_add_(1, places.clamp(max=source.shape[1] - 1), numbers)
    return source, len(lists) * (steps + 1) - 1


def _cut(symbols: list[int]) -> list[int]:
    """Return the numbers before the first symbol that ends an answer."""
    return symbols[: next((place for place, symbol in enumerate(symbols) if symbol < FEWEST), len(symbols))]
