"""Context-free languages: predict the next symbol of strings of a grammar, as close to its entropy as possible."""

import math
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
from memtape.tasks.formal.grammar.languages import TERMINALS, grammar_of
from memtape.tasks.formal.valid_lengths import draw_among, valid_within
from memtape.tasks.lengths import check_range, steps_since

BOUNDARY = 0
"""The symbol before the first and after the last symbol of a string."""


class ContextFree(ClassificationTask, DrawnTask):
    r"""Predict each symbol of a string of a context-free language, and its end.

    "marked-reversal" is a string of bits, a marker, and the string in reverse; "unmarked-reversal" has no marker, and
    "padded-reversal" has copies of one bit between the two. "brackets" are well-nested brackets of two types. "hardest" is a
    language to which every context-free one can be reduced: brackets, hidden among alternatives of which one is chosen.

    Each language has a grammar with weights. The length of a string is uniform over those that the language has in the range,
    and a string has the probability of the grammar among those of its length. No predictor has a cross-entropy below that of
    these probabilities: for strings w of length n and L lengths

    $$-\frac{\sum \left( \ln p(w \mid n) - \ln L \right)}{\sum (n + 1)}$$

    nats per symbol. `excess` is the cross-entropy above this bound, on the same strings; L is that of the training lengths. On
    few strings, which a predictor may favour by chance, it can be slightly below 0.

    Args:
        language: the language.
        min_length: minimum number of symbols of a training string.
        max_length: maximum number of symbols of a training string.
        same_length: draw one length for all strings of a batch instead of one for each.

    Raises:
        ValueError: the language is unknown, or the range of lengths is empty or below those of the language.

    Example:
        >>> task = ContextFree(language="marked-reversal")
        >>> print(task.show(task.batch(0, 1, lengths=(9, 9))))
        ContextFree, 10 steps
        input  |1000#0001
        target 1000#0001|

    References:
        DuSell & Chiang (2020), "Learning context-free languages with nondeterministic stack RNNs", arXiv:2010.04674, and the
        authors' code.
        Greibach (1973), "The hardest context-free language", SIAM Journal on Computing 2(4).
    """

    scored = (
        Score(name="cross_entropy", label="cross-entropy, nats per symbol", short="nats"),
        Score(name="excess", label="nats per symbol above the lower bound", short="excess", can_be_negative=True),
    )
    inputs_repeat_targets = True
    vocabulary: tuple[str, ...]

    def __init__(
        self,
        *,
        language: Literal[
            "marked-reversal", "unmarked-reversal", "padded-reversal", "brackets", "hardest"
        ] = "marked-reversal",
        min_length: int = 40,
        max_length: int = 80,
        same_length: bool = True,
    ):
        checks.one_of(tuple(TERMINALS), language=language)
        check_range(self, length=(min_length, max_length))
        self.language, self.same_length = language, same_length
        self.lengths = (min_length, max_length)
        self.vocabulary = ("|", *TERMINALS[language])
        self.input_size = self.output_size = len(self.vocabulary)
        self._grammar = grammar_of(language)
        self._lengths_nats = math.log(len(valid_within(self._grammar, self.lengths, language)))

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw lengths and strings, and write them between boundaries."""
        valid = valid_within(self._grammar, lengths, self.language)
        steps = draw_among(valid, batch_size, generator, same=self.same_length)
        strings, _ = self._grammar.sample(steps, generator)
        inside = steps_since(steps, strings.shape[1]) < 0
        symbols = (strings + 1) * inside
        edge = torch.full((batch_size, 1), BOUNDARY)
        mask = steps_since(steps + 1, strings.shape[1] + 1) < 0
        return SequenceBatch(
            inputs=torch.cat([edge, symbols], 1) * mask,
            targets=torch.cat([symbols, edge], 1),
            mask=mask,
            lengths=steps + 1,
        )

    def lowest_nats(self, batch: SequenceBatch) -> list[float]:
        """Return the lowest expected cost of each string: minus the logarithm of its probability, its length included."""
        sizes = batch.lengths.cpu() - 1
        strings = (batch.targets.cpu()[:, : int(sizes.max())] - 1).clamp(min=0)
        return [self._lengths_nats - nats for nats in self._grammar.log_probabilities(strings, sizes)]

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy, the summed lower bound, both in nats, and the number of symbols."""
        sums = class_sums(outputs, batch)
        return {"nats": sums["nats"], "lowest": sum(self.lowest_nats(batch)), "scored": sums["scored"]}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` and `excess` per symbol."""
        return {
            "cross_entropy": tally["nats"] / tally["scored"],
            "excess": (tally["nats"] - tally["lowest"]) / tally["scored"],
        }

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the cross-entropy of uniform predictions."""
        return {"cross_entropy": math.log(self.output_size)}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the symbols, and below the next ones; with `outputs` the most likely ones follow."""
        names = self.vocabulary
        return symbols_in_columns(type(self).__name__, batch, outputs, row, symbols=names, classes=names)


CARD = TaskCard(
    name="context-free",
    summary="Predict the next symbol of strings of a context-free language, as well as its probabilities allow.",
    paper=("dusell2020",),
    inputs=("sequences",),
    small={"min_length": 3, "max_length": 7},
    unit="symbols",
    test_lengths=(60, 80, 100),
    picture_length=41,
)
