"""Undo: read a bit that was written, or that before the last write after an undo."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.formal.columns import symbols_in_columns
from memtape.tasks.lengths import check_range, draw_lengths

WRITE, IGNORE, READ, UNDO = 2, 3, 4, 5

SHORTEST = 3
"""Number of symbols of the shortest string: a write, its bit and a read."""

CHANCES = {"published": (0.05, 0.8, 0.1, 0.05), "deep": (0.3, 0.1, 0.3, 0.3)}
"""The probabilities of write, ignore, read and undo."""

Array = npt.NDArray[Any]


class Undo(ClassificationTask, DrawnTask):
    """Output, at each read, the bit of the last write that is not undone.

    A string consists of writes and ignored writes, each followed by a bit, reads, and undos, which remove the last write that
    is left, but never the first one. It starts with a write and ends with a read. The target of a read is the bit on top of
    the stack of writes; only reads are scored. Instructions are drawn independently; with one write left, the probability of
    an undo is that of a further write. If one symbol is left before the last read, it is a read or an undo.

    In the published strings deep undos hardly occur, so networks without a stack score well. "deep" has as many undos as
    writes, and "probe" measures the stack: the length d is the number of writes, which are then read and undone in turn down
    to the first. In the other forms the length is the number of symbols, at least 3; a string whose last but one symbol is a
    read ends there.

    Args:
        strings: the form of the strings. "published": probability .05 of a write, .8 of an ignored write, .1 of a read, .05 of
            an undo. "deep": .3, .1, .3, .3. "probe": d writes, then d reads with undos between them.
        min_length: minimum length of a training string.
        max_length: maximum length of a training string.

    Raises:
        ValueError: the form is unknown, or the range of lengths is empty.

    Example:
        >>> task = Undo(strings="probe")
        >>> print(task.show(task.batch(0, 1, lengths=(4, 4))))
        Undo, 15 steps
        input  w0w1w1w0rururur
        target         0 1 1 0

    References:
        Zhou (2026), "The UNDO flip-flop: a controlled probe for reversible semantic state management in state space model",
        arXiv:2604.05923, and the author's code.
        Liu et al. (2023), "Exposing attention glitches with flip-flop language modeling", arXiv:2306.00946.
    """

    scored = (Score(name="accuracy", label="share of correct reads", short="accuracy", higher_is_better=True),)
    solved_at = 1.0
    vocabulary: tuple[str, ...] = ("0", "1", "w", "i", "r", "u")

    def __init__(
        self,
        *,
        strings: Literal["published", "deep", "probe"] = "published",
        min_length: int = 1,
        max_length: int = 50,
    ):
        checks.one_of((*CHANCES, "probe"), strings=strings)
        check_range(self, length=(min_length, max_length))
        self.strings = strings
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = len(self.vocabulary), 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw strings, and run the stack of writes over them."""
        sizes = draw_lengths(batch_size, lengths, generator)
        if self.strings == "probe":
            inputs, steps = _probes(sizes, generator)
        else:
            inputs, steps = _drawn(sizes, CHANCES[self.strings], generator)
        mask = inputs == READ
        return SequenceBatch(inputs=inputs, targets=_tops(inputs) * mask, mask=mask, lengths=steps)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all reads."""
        return class_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`."""
        return {"accuracy": tally["right"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of random bits."""
        return {"accuracy": 1 / 2}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: w for write, i for ignore, r for read, u for undo, and the target below each read.

        With `outputs` the most likely bits follow.
        """
        name = type(self).__name__
        return symbols_in_columns(name, batch, outputs, row, symbols=self.vocabulary, classes="01")


def _probes(sizes: Int[Tensor, " batch"], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the probes of each number of writes, and their lengths."""
    steps = 4 * sizes - 1
    place = torch.arange(int(steps.max()))
    drawn = torch.randint(0, 2, (len(sizes), len(place)), generator=generator)
    since = place - 2 * sizes[:, None]
    written = torch.where(place % 2 == 0, WRITE, drawn)
    inputs = torch.where(since < 0, written, torch.where(since % 2 == 0, READ, UNDO))
    return inputs * (place < steps[:, None]), steps


def _drawn(
    sizes: Int[Tensor, " batch"], chances: tuple[float, float, float, float], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return strings of random instructions, and their lengths; instructions of all rows are drawn step by step."""
    goals = sizes.numpy().clip(min=SHORTEST)
    rows, time = len(goals), int(goals.max())
    luck = torch.rand(rows, time, dtype=torch.float64, generator=generator).numpy()
    write, ignore, read, undo = chances
    symbols = np.zeros((rows, time), dtype=np.int64)
    depth, bit_follows = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=bool)
    for step in range(time):
        u = luck[:, step]
        more = depth > 1
        last = goals - 2 == step
        chosen = np.select(
            [u < ignore, u < ignore + read, u < ignore + read + np.where(more, write, write + undo)],
            [IGNORE, READ, WRITE],
            UNDO,
        )
        chosen = np.where(last, np.where(more & (u * (read + undo) >= read), UNDO, READ), chosen)
        if step == 0:
            chosen[:] = WRITE
        symbol = np.where(bit_follows, u < 0.5, chosen)
        ended = goals - 1 == step
        done = ended & (symbols[:, step - 1] == READ) | (goals <= step)
        symbol = np.where(done, 0, np.where(ended, READ, symbol))
        symbols[:, step] = symbol
        depth += (symbol == WRITE).astype(np.int64) - (symbol == UNDO)
        bit_follows = ((symbol == WRITE) | (symbol == IGNORE)) & ~bit_follows
    lengths = goals - (symbols[np.arange(rows), goals - 2] == READ)
    return torch.from_numpy(symbols[:, : int(lengths.max())]), torch.from_numpy(lengths)


def _tops(inputs: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """Return the bit on top of the stack of writes at each step."""
    symbols = inputs.numpy()
    rows, time = symbols.shape
    writes, undos = symbols == WRITE, symbols == UNDO
    depth = (writes.astype(np.int64) - undos).cumsum(1)
    stack, tops, every = np.zeros((rows, int(depth.max()) + 1), dtype=np.int64), np.zeros_like(symbols), np.arange(rows)
    for step in range(time):
        level = depth[:, step]
        if step:
            written = writes[:, step - 1]
            stack[every[written], level[written]] = symbols[written, step]
        tops[:, step] = stack[every, level]
    return torch.from_numpy(tops)


CARD = TaskCard(
    name="undo",
    summary="Read the last bit that was written and not undone.",
    paper=("zhou2026", "liu2023"),
    inputs=("sequences",),
    small={"max_length": 8},
    unit="symbols",
    test_lengths=(50, 75, 100),
    picture_length=40,
)
