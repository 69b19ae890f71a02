"""Chomsky: fifteen problems, ordered by the machine that solves them."""

import dataclasses
from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask, Player
from memtape.tasks.classification import ClassificationTask
from memtape.tasks.formal.columns import symbols_in_columns
from memtape.tasks.formal.problems.binary_numbers import BINARY_NUMBERS
from memtape.tasks.formal.problems.bracketed_arithmetic import BRACKETED_ARITHMETIC
from memtape.tasks.formal.problems.problem import END
from memtape.tasks.formal.problems.regular import REGULAR
from memtape.tasks.formal.problems.symbol_order import SYMBOL_ORDER
from memtape.tasks.lengths import check_range, draw_lengths

PROBLEMS = {**REGULAR, **SYMBOL_ORDER, **BRACKETED_ARITHMETIC, **BINARY_NUMBERS}
"""All problems by name."""


class Chomsky(ClassificationTask, DrawnTask):
    r"""Answer one of fifteen problems about a string of symbols, after the whole string.

    A sequence is the string of n symbols, m n computation tokens, and an output token for each symbol of the answer. The
    outputs at the output tokens are the answer; they are not fed back. With `autoregressive` there is one output token, and
    the answer itself follows as input, up to its last symbol but one: the true answer in training, and otherwise the network's
    own, its most likely symbol in each step. An answer of variable length ends with a terminator and is filled up with
    zeros. The loss is the cross-entropy of all steps of the answer, and

    $$\mathrm{accuracy} = \frac{\text{correct steps}}{\text{steps}}$$

    counts the steps up to the terminator, over all examples together. The length of an example is that of its string; with
    `same_length` a batch has one length, as in the paper. The networks of the paper are trained on lengths 1 to 40 and
    tested on 41 to 500. The paper calls a problem solved if the accuracy of the best network is at least 0.9, averaged over
    the lengths of the test; in training it counts as solved at 1.

    Args:
        problem: the problem. Regular: "even-pairs" to "cycle-navigation". Deterministic context-free: "stack-manipulation" to
            "solve-equation". Context-sensitive: the others.
        computation_tokens: number of computation tokens for each symbol of the string, m.
        min_length: minimum length of a string in training.
        max_length: maximum length of a string in training.
        same_length: draw one length for all strings of a batch instead of one for each.
        length_ratio: ratio of the probabilities of a length and of the next shorter one; 1 for uniform lengths. Below 1, most
            strings are short.
        give_length: give vectors instead of symbols: one-hot vectors, and as last entry of each the length of the string,
            which is the length of the jumps of a tape RNN with `jump_from_input`.
        autoregressive: feed the answer back, each class as the input symbol of the same number.

    Raises:
        ValueError: the problem is unknown, the number of computation tokens is negative, the ratio is not positive, or the
            range of lengths is empty.

    Example:
        >>> task = Chomsky(problem="modular-arithmetic-brackets")
        >>> print(task.show(task.batch(0, 1, lengths=(11, 11))))
        Chomsky, 12 steps
        input  ((4+(2))-4).
        target            2

    References:
        Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, and the authors' code.
    """

    scored = (Score(name="accuracy", label="share of correct symbols", short="accuracy", higher_is_better=True),)
    solved_at = 1.0
    vocabulary: tuple[str, ...]

    def __init__(
        self,
        *,
        problem: Literal[
            "even-pairs",
            "modular-arithmetic",
            "parity-check",
            "cycle-navigation",
            "stack-manipulation",
            "reverse-string",
            "modular-arithmetic-brackets",
            "solve-equation",
            "duplicate-string",
            "missing-duplicate",
            "odds-first",
            "binary-addition",
            "binary-multiplication",
            "compute-sqrt",
            "bucket-sort",
        ] = "reverse-string",
        computation_tokens: int = 0,
        min_length: int = 1,
        max_length: int = 40,
        same_length: bool = True,
        length_ratio: float = 1.0,
        give_length: bool = False,
        autoregressive: bool = False,
    ):
        checks.one_of(tuple(PROBLEMS), problem=problem)
        checks.at_least(0, computation_tokens=computation_tokens)
        checks.positive(length_ratio=length_ratio)
        check_range(self, length=(min_length, max_length))
        self.length_ratio = length_ratio
        self.problem, self._problem = problem, PROBLEMS[problem]
        self.computation_tokens, self.same_length, self.give_length = computation_tokens, same_length, give_length
        self.autoregressive = self.interactive = autoregressive
        self.lengths = (min_length, max_length)
        tokens = ("computation", "output") if computation_tokens else ("output",)
        self._fed = self._problem.symbols
        if autoregressive:
            self._fed += self._problem.classes[len(self._fed) :]
        self.vocabulary = (*self._fed, *tokens)
        self.input_size, self.output_size = len(self.vocabulary) + give_length, len(self._problem.classes)
        if problem in {"even-pairs", "parity-check"} and not computation_tokens and not give_length:
            self.around_words = (None, "output")

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw strings and their answers, all of one length at once, and lay them out with the tokens."""
        sizes = draw_lengths(batch_size, lengths, generator, same=self.same_length, ratio=self.length_ratio)
        found = sizes.unique().tolist()
        parts = [self._laid_out(int((sizes == size).sum()), size, generator) for size in found]
        order = sizes.argsort(stable=True).argsort(stable=True)
        whole = parts[0] if len(parts) == 1 else SequenceBatch.join(parts)
        return SequenceBatch(
            inputs=whole.inputs[order],
            targets=whole.targets[order],
            mask=whole.mask[order],
            lengths=whole.lengths[order],
        )

    def _laid_out(self, rows: int, size: int, generator: torch.Generator) -> SequenceBatch:
        strings, answers = self._problem.sample(rows, size, generator)
        waiting = strings.shape[1] * (1 + self.computation_tokens)
        inputs = torch.full((rows, waiting + answers.shape[1]), len(self.vocabulary) - 1)
        inputs[:, : strings.shape[1]] = strings
        inputs[:, strings.shape[1] : waiting] = len(self._fed)
        if self.autoregressive:
            inputs[:, waiting + 1 :] = answers[:, :-1]
        targets = torch.zeros_like(inputs)
        targets[:, waiting:] = answers
        mask = torch.zeros(inputs.shape, dtype=torch.bool)
        mask[:, waiting:] = True
        if self.give_length:
            sizes = torch.full((*inputs.shape, 1), float(strings.shape[1]))
            inputs = torch.cat([self._one_hot(inputs), sizes], -1)
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=torch.full((rows,), inputs.shape[1]))

    def _one_hot(self, symbols: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape symbols"]:
        return functional.one_hot(symbols, len(self.vocabulary)).float()

    def play(self, batch: SequenceBatch, player: Player, generator: torch.Generator | None) -> SequenceBatch:
        """Feed the network's most likely symbols back, outside of training."""
        if not self.autoregressive or generator is not None:
            return batch
        rows = torch.arange(len(batch))
        first, steps = batch.mask.long().argmax(1), batch.mask.sum(1)
        inputs = batch.inputs.clone()
        outputs, state = player(inputs[:, : int(first.max()) + 1], None, first + 1)
        answer = outputs[rows, first].argmax(-1)
        for step in range(1, int(steps.max())):
            inside = step < steps
            now = (first + step).clamp(max=inputs.shape[1] - 1)
            fed = inputs[rows, now]
            if self.give_length:
                fed[inside, :-1] = self._one_hot(answer)[inside].to(fed)
            else:
                fed[inside] = answer[inside]
            inputs[rows, now] = fed
            outputs, state = player(fed[:, None], state, torch.ones_like(first))
            answer = outputs[:, 0].argmax(-1)
        return dataclasses.replace(batch, inputs=inputs)

    def counted(self, batch: SequenceBatch) -> Bool[Tensor, "batch time"]:
        """Return which steps count in the accuracy: those of the answers up to their terminators."""
        if self._problem.classes[-1] != END:
            return batch.mask
        end = (batch.targets == self.output_size - 1) & batch.mask
        return batch.mask & (end.long().cumsum(1) - end.long() == 0)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the numbers of correct and of all counted steps."""
        counted = self.counted(batch)
        right = (outputs.detach().argmax(-1) == batch.targets) & counted
        return {"right": float(right.sum()), "counted": float(counted.sum())}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `accuracy`."""
        return {"accuracy": tally["right"] / tally["counted"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the accuracy of the paper's random baseline: 1/5 for the problems with five classes, otherwise 1/2."""
        return {"accuracy": self._problem.chance}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a column for each step, `:` for a computation token and `.` for an output token.

        With `outputs` the most likely symbols of the answer follow.
        """
        symbols = [*self._fed, *(":." if self.computation_tokens else ".")]
        name = type(self).__name__
        if self.give_length:
            batch = dataclasses.replace(batch, inputs=batch.inputs[..., :-1].argmax(-1))
        return symbols_in_columns(name, batch, outputs, row, symbols=symbols, classes=self._problem.classes)


CARD = TaskCard(
    name="chomsky",
    summary="Solve one of fifteen problems of the Chomsky hierarchy, at lengths far beyond those of training.",
    paper=("deletang2023",),
    inputs=("sequences",),
    small={"max_length": 6},
    unit="symbols",
    test_lengths=(40, 100, 200, 300, 400, 500),
    picture_length=50,
)
