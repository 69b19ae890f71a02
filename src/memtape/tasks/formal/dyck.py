"""Dyck: predict which brackets may come next in a string of nested brackets."""

from collections.abc import Mapping
from functools import cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.formal.columns import in_columns
from memtape.tasks.formal.grammar.grammar import Grammar
from memtape.tasks.formal.valid_lengths import draw_among, valid_within
from memtape.tasks.lengths import check_range, steps_since

NESTED, JOINED = 0.5, 0.25
"""Probabilities of the rules S -> ( S ) and S -> S S; the remaining one is that of the empty string."""

PAIRS = ("()", "[]", "{}", "<>")
"""Brackets of up to four types."""


@cache
def dyck_grammar(types: int) -> Grammar:
    """Return the grammar of well-nested brackets, S -> ( S ) | S S | empty, with a uniform type of the brackets."""
    names = [f"({number}" for number in range(types)] + [f"){number}" for number in range(types)]
    nested = [(f"({number} S ){number}", NESTED / types) for number in range(types)]
    return Grammar({"S": [*nested, ("S S", JOINED), ("", 1 - NESTED - JOINED)]}, names)


class Dyck(DrawnTask):
    """Predict, after each bracket of a well-nested string, the set of brackets that may come next.

    Every opening bracket may come next, and the closing bracket of the last open one. The targets are bits, one for each
    bracket, and the outputs are their logits. The loss is the cross-entropy per bit; the authors use the squared error of the
    probabilities. A string is correct if the set is correct at each of its steps.

    Strings have uniform even lengths; among those of one length they have the probabilities of the grammar
    S -> ( S ) | S S | empty, with the weights 1/2, 1/4, 1/4. The authors draw 5,000 different strings of lengths 2 to 50 for
    training, and test on lengths 52 to 100.

    Args:
        types: number of types of brackets.
        min_length: minimum number of brackets of a training string.
        max_length: maximum number of brackets of a training string, at least 2.

    Raises:
        ValueError: there is no type, or the range of lengths is empty.

    Example:
        >>> task = Dyck()
        >>> print(task.show(task.batch(0, 1, lengths=(10, 10))))
        Dyck, 10 steps
        input   [(((())))]
        closing ])))))))]

    References:
        Suzgun, Gehrmann, Belinkov & Shieber (2019), "Memory-augmented recurrent neural networks can learn generalized Dyck
        languages", arXiv:1911.03329.
    """

    scored = (
        Score(name="step_accuracy", label="share of steps with the correct set", short="steps", higher_is_better=True),
        Score(name="accuracy", label="share of strings without an error", short="accuracy", higher_is_better=True),
    )
    solved_at = 1.0
    vocabulary: tuple[str, ...]

    def __init__(self, *, types: int = 2, min_length: int = 2, max_length: int = 50):
        checks.at_least(1, types=types)
        check_range(self, least=2, length=(min_length, max_length))
        self.types = types
        self.lengths = (min_length, max_length)
        self.input_size = self.output_size = 2 * types
        names = PAIRS if types <= len(PAIRS) else [(f"({number}", f"){number}") for number in range(types)]
        self.vocabulary = (*(pair[0] for pair in names[:types]), *(pair[1] for pair in names[:types]))
        self._grammar = dyck_grammar(types)

    def shortest_length(self) -> int:
        """Return 2, the length of one pair of brackets."""
        return 2

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw strings, and find the brackets that may come next."""
        steps = draw_among(valid_within(self._grammar, lengths, "brackets"), batch_size, generator)
        strings, _ = self._grammar.sample(steps, generator)
        mask = steps_since(steps, strings.shape[1]) < 0
        return SequenceBatch(inputs=strings, targets=self._next(strings) * mask[:, :, None], mask=mask, lengths=steps)

    def _next(self, strings: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time output"]:
        """Return the sets of brackets that may come next, as bits."""
        opening = strings < self.types
        depth = torch.where(opening, 1, -1).cumsum(1)
        rows, every = len(strings), torch.arange(len(strings))
        stack = torch.zeros(rows, int(depth.max()) + 1, dtype=torch.long)
        targets = torch.zeros(rows, strings.shape[1], 2 * self.types)
        targets[:, :, : self.types] = 1.0
        for step, (symbol, level) in enumerate(zip(strings.unbind(1), depth.clamp(min=0).unbind(1), strict=True)):
            stack[every, level] = torch.where(opening[:, step], symbol, stack[every, level])
            inside = level > 0
            targets[every[inside], step, self.types + stack[every, level][inside]] = 1.0
        return targets

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of the scored bits, in nats."""
        return functional.binary_cross_entropy_with_logits(outputs[batch.mask], batch.targets[batch.mask])

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored steps."""
        return float(batch.mask.sum())

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the numbers of correct and of all steps, and of correct and of all strings."""
        wrong = self._wrong(outputs, batch)
        steps = float(batch.mask.sum())
        return {
            "right": steps - float(wrong.sum()),
            "steps": steps,
            "strings_right": float((~wrong.any(1)).sum()),
            "strings": float(len(batch)),
        }

    def _wrong(self, outputs: Tensor, batch: SequenceBatch) -> Bool[Tensor, "batch time"]:
        return ((outputs.detach() > 0) != (batch.targets > 0.5)).any(-1) & batch.mask

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `step_accuracy` and `accuracy`."""
        return {
            "step_accuracy": tally["right"] / tally["steps"],
            "accuracy": tally["strings_right"] / tally["strings"],
        }

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the brackets, and below the closing bracket that may come next.

        With `outputs` a last line marks the steps with a wrong set by `^`.
        """
        length = int(batch.lengths[row])
        closing = batch.targets[row, :length, self.types :]
        rows = {
            "input": [self.vocabulary[symbol] for symbol in batch.inputs[row, :length].tolist()],
            "closing": [self.vocabulary[self.types + int(one.argmax())] if one.any() else "" for one in closing],
        }
        if outputs is not None:
            rows["wrong"] = ["^" if wrong else "" for wrong in self._wrong(outputs, batch)[row, :length].tolist()]
        return in_columns(f"{type(self).__name__}, {length} steps", rows)


CARD = TaskCard(
    name="dyck",
    summary="Predict which brackets may come next in a string of nested brackets.",
    paper=("suzgun2019",),
    inputs=("sequences",),
    small={"max_length": 6},
    unit="brackets",
    test_lengths=(50, 60, 80, 100),
    picture_length=60,
)
