"""Sequencing: solve several tasks in one sequence, in an order that its first steps determine."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.associative_recall import AssociativeRecall
from memtape.tasks.algorithmic.bits import BitTask
from memtape.tasks.algorithmic.copying import Copy
from memtape.tasks.algorithmic.priority_sort import PrioritySort
from memtape.tasks.algorithmic.repeat_copy import RepeatCopy
from memtape.tasks.lengths import check_range, draw_lengths

BESIDE_COPY = ("repeat-copy", "associative-recall", "priority-sort")


class Sequencing(BitTask):
    """Copy, and solve one or three other tasks, in a random order.

    A sequence has the order, the questions of all tasks in this order, and then their answers in the same order; inputs are
    zeros there. The question of a task is what precedes its answer. The order is one step for each task but the last, with
    a 1 in the channel of the task: channel 0 for copy, then one channel after another, but the last channel for the last
    task. With two tasks it is a single step. All tasks of a batch have the same length, order and number of repeats.

    Input channels: the bits, and two channels that the tasks share for delimiters, repeats and priorities. Output channels:
    the bits, and with repeat copy its end marker, which is 0 in the answers of other tasks. The length is the number of
    vectors, of associative recall the number of items.

    Args:
        others: the tasks beside copy: one of them, or all three.
        bits: number of bits of one vector.
        min_length: minimum length in training; with associative recall at least 2.
        max_length: maximum length in training.
        min_repeats: minimum number of repeats of repeat copy.
        max_repeats: maximum number of repeats of repeat copy.
        repeats_scale_max: the number of repeats is normalised by the mean and variance of 1..`repeats_scale_max`; keep this
            value when testing with more repeats.

    Raises:
        ValueError: a size is below 1, a range is empty, the length is below 2 with associative recall, or the other tasks
            are unknown.

    Example:
        >>> task = Sequencing(bits=2, max_repeats=2, repeats_scale_max=2)
        >>> print(task.show(task.batch(0, 1, lengths=(3, 3))))
        Sequencing, 19 steps
        input   0 ..#....#...........
        input   1 ..##.##............
        input   2 ....#...#..........
        input   3 #...#..............
        target  0          .#..#....#
        target  1          .##.##.##.
        target  2          ......#...

    References:
        Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862, section 4.3, and the authors' code.
    """

    def __init__(
        self,
        *,
        others: Literal["repeat-copy", "associative-recall", "priority-sort", "all"] = "repeat-copy",
        bits: int = 8,
        min_length: int = 2,
        max_length: int = 10,
        min_repeats: int = 1,
        max_repeats: int = 9,
        repeats_scale_max: int = 9,
    ):
        checks.one_of((*BESIDE_COPY, "all"), others=others)
        names = BESIDE_COPY if others == "all" else (others,)
        check_range(self, 2 if "associative-recall" in names else 1, length=(min_length, max_length))
        repeats = {"min_repeats": min_repeats, "max_repeats": max_repeats, "repeats_scale_max": repeats_scale_max}
        beside: dict[str, BitTask] = {
            "repeat-copy": RepeatCopy(bits=bits, same_length=True, **repeats),
            "associative-recall": AssociativeRecall(bits=bits, same_length=True),
            "priority-sort": PrioritySort(bits=bits, same_length=True),
        }
        self.parts: tuple[BitTask, ...] = (Copy(bits=bits, same_length=True), *(beside[name] for name in names))
        self.lengths = (min_length, max_length)
        self.input_size = max(part.input_size for part in self.parts)
        self.output_size = max(part.output_size for part in self.parts)

    def shortest_length(self) -> int:
        """Return the largest of the shortest lengths of the tasks."""
        return max(part.shortest_length() for part in self.parts)

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw a length, an order and a batch of each task, and lay out the order, the questions and the answers."""
        length = int(draw_lengths(batch_size, lengths, generator, same=True)[0])
        order = torch.randperm(len(self.parts), generator=generator).tolist()
        batches = [part.sample(batch_size, (length, length), generator) for part in self.parts]
        asked = [int(batch.mask[0].int().argmax()) for batch in batches]
        questions = [_widened(batches[at].inputs[:, : asked[at]], self.input_size) for at in order]
        answers = [_widened(batches[at].targets[:, asked[at] :], self.output_size) for at in order]
        source = torch.cat([self._marked(order, batch_size), *questions], 1)
        target = torch.cat(answers, 1)
        begin, time = source.shape[1], source.shape[1] + target.shape[1]
        mask = (torch.arange(time) >= begin).expand(batch_size, -1).clone()
        return SequenceBatch(
            inputs=functional.pad(source, (0, 0, 0, target.shape[1])),
            targets=functional.pad(target, (0, 0, begin, 0)),
            mask=mask,
            lengths=torch.full((batch_size,), time),
        )

    def _marked(self, order: list[int], batch_size: int) -> Tensor:
        """Return the steps that name the order."""
        last = len(self.parts) - 1
        marked = torch.zeros(batch_size, last, self.input_size)
        for step, task in enumerate(order[:-1]):
            marked[:, step, task if task < last else self.input_size - 1] = 1
        return marked


def _widened(steps: Tensor, size: int) -> Tensor:
    """Add channels of zeros."""
    return functional.pad(steps, (0, size - steps.shape[2]))


CARD = TaskCard(
    name="sequencing",
    summary="Copy and another task, or three, in an order that the first step names.",
    paper=("le2020",),
    inputs=("sequences",),
    small={"bits": 2, "max_length": 3, "max_repeats": 2},
    unit="vectors",
    test_lengths=(10, 15, 19),
    picture_length=12,
)
