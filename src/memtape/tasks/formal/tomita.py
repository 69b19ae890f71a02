"""Tomita: does each prefix of a string belong to a small regular language?"""

from collections.abc import Mapping
from typing import Literal

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
from memtape.tasks.lengths import check_range, draw_lengths, steps_since

Automaton = tuple[tuple[tuple[int, int], ...], tuple[int, ...]]
"""The next states of each state on 0 and on 1, and the accepting states; the first state is the initial one."""

AUTOMATA: dict[tuple[int, str], Automaton] = {
    (1, "later"): (((1, 0), (1, 1)), (0,)),
    (2, "later"): (((2, 1), (0, 2), (2, 2)), (0,)),
    (3, "later"): (((0, 1), (2, 0), (4, 3), (3, 3), (2, 4)), (0, 1, 4)),
    (3, "immediate"): (((0, 1), (2, 0), (3, 4), (2, 1), (4, 4)), (0, 1, 3)),
    (4, "later"): (((1, 0), (2, 0), (3, 0), (3, 3)), (0, 1, 2)),
    (5, "later"): (((1, 2), (0, 3), (3, 0), (2, 1)), (0,)),
    (6, "later"): (((1, 2), (2, 0), (0, 1)), (0,)),
    (7, "later"): (((0, 1), (2, 1), (2, 3), (4, 3), (4, 4)), (0, 1, 2, 3)),
}
"""The minimal automata of the languages, by number and reading."""

START = 2
"""The symbol before each string."""


class Tomita(ClassificationTask, DrawnTask):
    """Classify each prefix of a string of bits, the empty one included, as inside or outside a regular language.

    1: 1*. 2: (10)*. 3: no odd run of ones is followed by an odd run of zeros. 4: without 000. 5: even numbers of zeros and of
    ones. 6: the difference of these numbers is a multiple of 3. 7: 0*1*0*1*. The sequence is a start symbol and the string, and
    the target at each step is whether the string up to there belongs to the language.

    Half of the strings are uniform; the others are uniform among those whose prefixes can all be continued to a string of the
    language, so that long prefixes of both classes occur. The length of an example is that of its string. A string is
    correct if all of its prefixes are classified correctly.

    Args:
        number: the language, 1 to 7.
        third: which runs of zeros language 3 forbids: "later" forbids an odd run anywhere after an odd run of ones, and
            "immediate" one directly after it. The first differences are at length 6; published code has both.
        min_length: minimum number of bits of a training string.
        max_length: maximum number of bits of a training string.

    Raises:
        ValueError: the language is unknown, or the range of lengths is empty.

    Example:
        >>> task = Tomita(number=4)
        >>> print(task.show(task.batch(0, 1, lengths=(12, 12))))
        Tomita, 13 steps
        input  ^011110101111
        target +++++++++++++

    References:
        Tomita (1982), "Dynamic construction of finite automata from examples using hill-climbing", Proceedings of the Cognitive
        Science Society.
        Weiss, Goldberg & Yahav (2018), "Extracting automata from recurrent neural networks using queries and
        counterexamples", arXiv:1711.09576.
    """

    scored = (
        Score(name="prefix_accuracy", label="share of correct prefixes", short="prefixes", higher_is_better=True),
        Score(name="accuracy", label="share of strings without an error", short="accuracy", higher_is_better=True),
    )
    solved_at = 1.0
    vocabulary: tuple[str, ...] = ("0", "1", "^")
    around_words = ("^", None)

    def __init__(
        self,
        *,
        number: Literal[1, 2, 3, 4, 5, 6, 7] = 5,
        third: Literal["later", "immediate"] = "later",
        min_length: int = 1,
        max_length: int = 16,
    ):
        if number not in range(1, 8):
            raise ValueError(f"number is {number!r}, but the languages of Tomita are 1 to 7; give one of these")
        checks.one_of(("later", "immediate"), third=third)
        check_range(self, length=(min_length, max_length))
        self.number, self.third = number, third
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = 3, 2
        moves, accepting = AUTOMATA[number, third if number == 3 else "later"]
        self._moves = torch.tensor(moves)
        self._accepts = torch.zeros(len(moves), dtype=torch.long)
        self._accepts[list(accepting)] = 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw strings, run the automaton over them, and label each prefix."""
        sizes = draw_lengths(batch_size, lengths, generator)
        time = int(sizes.max())
        luck = torch.rand(batch_size, time, dtype=torch.float64, generator=generator)
        chances = self._chances_of_one(time)
        walks = torch.rand(batch_size, dtype=torch.float64, generator=generator) < 0.5
        state, states = torch.zeros(batch_size, dtype=torch.long), [torch.zeros(batch_size, dtype=torch.long)]
        inputs = torch.full((batch_size, time + 1), START)
        for step in range(time):
            chance = torch.where(walks, chances[(sizes - 1 - step).clamp(min=0), state], 0.5)
            inputs[:, step + 1] = bit = (luck[:, step] < chance).long()
            state = self._moves[state, bit]
            states.append(state)
        mask = steps_since(sizes + 1, time + 1) < 0
        labels = self._accepts[torch.stack(states, 1)]
        return SequenceBatch(inputs=inputs * mask, targets=labels * mask, mask=mask, lengths=sizes + 1)

    def _chances_of_one(self, longest: int) -> Float[Tensor, "remaining states"]:
        """Return the chance that the next bit is 1, given the number of bits after it and the state."""
        live = self._accepts.bool()
        for _ in range(len(live)):
            live = live | live[self._moves].any(1)
        counts, chances = live.double(), []
        for _ in range(longest):
            following = counts[self._moves]
            total = following.sum(1)
            chances.append(torch.where(total > 0, following[:, 1] / total, 0.5))
            counts = total * live / total.max()
        return torch.stack(chances)

    def accepted(self, string: Int[Tensor, " time"]) -> bool:
        """Return whether a string of bits belongs to the language."""
        state = 0
        for bit in string.tolist():
            state = int(self._moves[state, bit])
        return bool(self._accepts[state])

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, and the numbers of correct and of all prefixes and strings."""
        wrong = (outputs.detach().argmax(-1) != batch.targets) & batch.mask
        return {
            **class_sums(outputs, batch),
            "strings_right": float((~wrong.any(1)).sum()),
            "strings": float(len(batch)),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `prefix_accuracy` and `accuracy`."""
        return {
            "prefix_accuracy": tally["right"] / tally["scored"],
            "accuracy": tally["strings_right"] / tally["strings"],
        }

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the string after `^`, and `+` below each prefix of the language, `-` below others.

        With `outputs` the predicted classes follow.
        """
        name = type(self).__name__
        return symbols_in_columns(name, batch, outputs, row, symbols=self.vocabulary, classes="-+")


CARD = TaskCard(
    name="tomita",
    summary="Decide for each prefix of a string of bits whether it belongs to one of seven regular languages.",
    paper=("tomita1982", "weiss2018"),
    inputs=("sequences",),
    small={"max_length": 6},
    unit="bits",
    test_lengths=(16, 20, 50, 100, 200),
    picture_length=20,
)
