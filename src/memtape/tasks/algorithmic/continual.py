"""Continual: learn tasks one after another, and be scored on all of them."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.tasks.algorithmic.associative_recall import AssociativeRecall
from memtape.tasks.algorithmic.bits import WRONG_BITS, BitTask
from memtape.tasks.algorithmic.copying import Copy
from memtape.tasks.algorithmic.priority_sort import PrioritySort
from memtape.tasks.algorithmic.repeat_copy import RepeatCopy

NAMES = ("copy", "repeat_copy", "associative_recall", "priority_sort")
LONGEST = (20, 10, 6)
"""The usual largest number of vectors of copy and sort, of vectors of repeat copy, and of items."""
CHANCE = 0.5
"""The accuracy of a task of which there is no sequence: chance level."""


class Continual(BitTask):
    """Learn copy, repeat copy, associative recall and priority sort, each for a number of batches, in this order.

    The length of an example is the number of its task, from 1 to 4. Training batches are of task 1 at first, and of the next
    one after every `phase_steps` batches; those of the last task have no end. Validation and test have all four, so that the
    scores of a validation show what is forgotten. `accuracy` is the share of correct bits of all tasks with equal weights,
    and `accuracy_copy` and so on that of a task; of a task without a sequence it is 0.5.

    Input channels: the bits, and for each task the channels of its markers, so that markers distinguish the tasks. Output
    channels: the bits, and the end marker of repeat copy.

    Args:
        bits: number of bits of one vector.
        phase_steps: number of batches of each of the first three tasks.
        longest: largest number of vectors or items; none for the longest of each task: 20 vectors, 10, 6 items, 20.

    Raises:
        ValueError: a number is below 1, or the largest number is below 2.

    References:
        Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862, section 4.4.
    """

    scored = (
        Score(name="accuracy", label="share of correct bits", short="accuracy", higher_is_better=True),
        *(
            Score(
                name=f"accuracy_{name}",
                label=f"share of correct bits, {name.replace('_', ' ')}",
                short=name.replace("_", " "),
                higher_is_better=True,
            )
            for name in NAMES
        ),
        WRONG_BITS,
    )

    def __init__(self, *, bits: int = 8, phase_steps: int = 20_000, longest: int | None = None):
        checks.at_least(1, phase_steps=phase_steps)
        if longest is not None:
            checks.at_least(2, longest=longest)
        self.phase_steps = phase_steps
        vectors, repeated, items = (longest or own for own in LONGEST)
        self.parts: tuple[BitTask, ...] = (
            Copy(bits=bits, max_length=vectors),
            RepeatCopy(bits=bits, max_length=repeated, max_repeats=9, repeats_scale_max=9),
            AssociativeRecall(bits=bits, max_length=items),
            PrioritySort(bits=bits, min_length=vectors, max_length=vectors),
        )
        self.lengths = (1, len(self.parts))
        self.markers = [part.input_size - bits for part in self.parts]
        self.bits, self.input_size, self.output_size = bits, bits + sum(self.markers), bits + 1

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Draw a batch; a training batch is of the task of its phase, if this is in the range of lengths."""
        if split == "train":
            phase = min(max(1 + index // self.phase_steps, lengths[0]), lengths[1])
            lengths = (phase, phase)
        return super().draw(index, batch_size, seed=seed, split=split, lengths=lengths, input_kind=input_kind)

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw rows of all tasks in the range, of each as many as of the others up to one row.

        Raises:
            ValueError: a length is not the number of a task.
        """
        if lengths[1] > len(self.parts):
            raise ValueError(
                f"lengths are {lengths[0]}..{lengths[1]}, but lengths are numbers of tasks; give some from 1 to "
                f"{len(self.parts)}"
            )
        offset = torch.randint(len(self.parts), (), generator=generator)
        numbers = lengths[0] + (torch.arange(batch_size) + offset) % (lengths[1] - lengths[0] + 1)
        counts = numbers.bincount(minlength=len(self.parts) + 1)
        drawn = [
            self._widened(number, part.sample(int(count), part.lengths, generator))
            for number, (part, count) in enumerate(zip(self.parts, counts[1:], strict=True))
            if count
        ]
        return SequenceBatch.join(drawn)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return for each task the numbers of correct and of scored bits, and the numbers of wrong bits and of sequences."""
        right = ((outputs.detach() > 0) == (batch.targets > 0.5)) & batch.mask[:, :, None]
        of_row, scored = right.sum((1, 2)), batch.mask.sum(1) * self.output_size
        sums = {"wrong": float((scored - of_row).sum()), "sequences": float(len(batch))}
        for name, rows in zip(NAMES, self._rows(batch.inputs), strict=True):
            sums |= {f"right_{name}": float(of_row[rows].sum()), f"scored_{name}": float(scored[rows].sum())}
        return sums

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return the accuracy over all tasks present and of each task, and `wrong_bits` per sequence."""
        of_tasks = {
            name: tally[f"right_{name}"] / tally[f"scored_{name}"] if tally[f"scored_{name}"] else None
            for name in NAMES
        }
        present = [accuracy for accuracy in of_tasks.values() if accuracy is not None]
        return {
            "accuracy": sum(present) / len(present),
            **{f"accuracy_{name}": CHANCE if value is None else value for name, value in of_tasks.items()},
            "wrong_bits": tally["wrong"] / tally["sequences"],
        }

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracies of random bits."""
        return {"accuracy": CHANCE, **{f"accuracy_{name}": CHANCE for name in NAMES}}

    def _rows(self, inputs: Float[Tensor, "batch time input"]) -> list[Bool[Tensor, " batch"]]:
        """Return for each task which rows are its own: those with markers in its channels."""
        blocks = inputs[:, :, self.bits :].split(self.markers, dim=2)
        return [block.ne(0).any(2).any(1) for block in blocks]

    def _widened(self, number: int, batch: SequenceBatch) -> SequenceBatch:
        """Return a batch of a task with the channels of all tasks."""
        bits, markers = batch.inputs.split([self.bits, self.markers[number]], dim=2)
        before, after = sum(self.markers[:number]), sum(self.markers[number + 1 :])
        return SequenceBatch(
            inputs=torch.cat([bits, functional.pad(markers, (before, after))], dim=2),
            targets=functional.pad(batch.targets, (0, self.output_size - batch.targets.shape[2])),
            mask=batch.mask,
            lengths=batch.lengths,
        )


CARD = TaskCard(
    name="continual",
    summary="Four tasks on bit vectors, learned one after another and scored together.",
    paper=("le2020",),
    inputs=("sequences",),
    small={"bits": 2, "phase_steps": 2, "longest": 2},
    unit="task",
    test_lengths=(1, 2, 3, 4),
)
