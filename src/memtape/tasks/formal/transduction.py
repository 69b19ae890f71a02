"""Transduction: copy, reverse, flip or translate a sequence of symbols."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.inputs.pairs import BOUNDARY, PAIRS, Pairs, given_for
from memtape.core.score import Score
from memtape.core.task import generator_for
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.formal.grammar.translations import translation
from memtape.tasks.formal.valid_lengths import draw_among, valid_within
from memtape.tasks.lengths import check_range, steps_since

TRANSLATED = ("svo-sov", "gender")
"""The transductions of a grammar."""

Symbols = Int[Tensor, "rows time"]


class Transduction(ClassificationTask):
    """Read a source, and write its copy, its reverse, its flipped pairs or its translation.

    "copy", "reversal" and "bigram-flip", which swaps the two symbols of each pair, have uniform symbols. "svo-sov" moves the
    verb of a sentence of subject, verb and object to its end, where subjects and objects contain relative clauses. "gender"
    translates articles by the gender of their nouns. The two languages have different words. A target is as long as its source.

    Symbol 0, the boundary, lies before a target and ends it. As a sequence: the source, the boundary and the target, with the
    next symbol as the target of a step. As a pair: the source, and the target shifted by one step as the input of the decoder.
    The target and its boundary are scored, given the true previous symbols; `coarse` is the share of targets without an error,
    and `fine` is the share of a target before the first error, averaged over targets. Both are those of greedy decoding, whose
    inputs are the true symbols up to the first error.

    The length of an example is that of its source, uniform over the valid lengths of the range: even ones for "bigram-flip",
    those of the grammar for translations. The paper draws sentences of the grammar until the length is in the range, and has
    128 symbols, and lengths 8 to 64 for training and 65 to 128 for testing; the defaults are a smaller form.

    Args:
        transduction: what the target is.
        symbols: number of different source symbols of copy, reversal and flipped pairs.
        min_length: minimum length of a source in training.
        max_length: maximum length of a source in training.

    Raises:
        ValueError: the transduction is unknown, a number is below 1, the range of lengths is empty, or all sources are longer.

    Example:
        >>> task = Transduction(transduction="svo-sov")
        >>> print(task.show(task.batch(0, 1, lengths=(7, 7))))
        Transduction, 15 steps
        source si1 si21 si11 si1 vi14 oi11 oi22
        target so1 so21 so11 so1 oo11 oo22 vo14 |

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), "Learning to transduce with unbounded memory", arXiv:1506.02516.
    """

    scored = (
        Score(name="fine", label="share of a target before the first error", short="fine", higher_is_better=True),
        Score(name="coarse", label="share of targets without an error", short="coarse", higher_is_better=True),
    )
    solved_at = 1.0
    input_kinds = ("sequences", "pairs")
    inputs_repeat_targets = True
    vocabulary: tuple[str, ...]

    def __init__(
        self,
        *,
        transduction: Literal["copy", "reversal", "bigram-flip", "svo-sov", "gender"] = "reversal",
        symbols: int = 64,
        min_length: int = 4,
        max_length: int = 16,
    ):
        checks.one_of(("copy", "reversal", "bigram-flip", *TRANSLATED), transduction=transduction)
        checks.at_least(1, symbols=symbols)
        check_range(self, length=(min_length, max_length))
        self.transduction, self.symbols = transduction, symbols
        self.lengths = (min_length, max_length)
        if transduction in TRANSLATED:
            source, target = translation(transduction).vocabularies
        else:
            source, target = (tuple(f"{side}{number}" for number in range(1, symbols + 1)) for side in "st")
        self.vocabulary = ("|", *source, *target)
        self.input_size = self.output_size = len(self.vocabulary)
        self._source_size = len(source)
        self._valid(self.lengths)

    def _valid(self, lengths: tuple[int, int]) -> list[int]:
        """Return the valid lengths of a range; if it has none, the longest valid one below."""
        if self.transduction in TRANSLATED:
            return valid_within(translation(self.transduction).grammar, lengths, self.transduction)
        if self.transduction != "bigram-flip":
            return list(range(lengths[0], lengths[1] + 1))
        if lengths[1] < 2:
            raise ValueError("the longest length is 1, but bigram-flip swaps pairs of symbols; give at least 2")
        return list(range(lengths[0] + lengths[0] % 2, lengths[1] + 1, 2)) or [lengths[1] - 1]

    def draw(
        self, index: int, batch_size: int, *, seed: int, split: str, lengths: tuple[int, int], input_kind: str
    ) -> SequenceBatch:
        """Draw sources and targets with a generator seeded by the seed, the split and the index."""
        generator = generator_for(seed, split, index)
        steps = draw_among(self._valid(lengths), batch_size, generator)
        inside = steps_since(steps, int(steps.max())) < 0
        source, target = self._drawn(steps, generator)
        source, target = (source + 1) * inside, (target + 1 + self._source_size) * inside
        answers = torch.cat([target, torch.full((batch_size, 1), BOUNDARY)], 1)
        scored = steps_since(steps + 1, answers.shape[1]) < 0
        if input_kind == "pairs":
            pairs = Pairs(source=source, source_lengths=steps, given=given_for(answers))
            return SequenceBatch(inputs=pairs, targets=answers, mask=scored, lengths=steps + 1)
        total = 2 * steps + 1
        since = steps_since(steps, int(total.max()))
        mask = (since >= 0) & (since <= steps[:, None])
        targets = answers.gather(1, since.clamp(0, answers.shape[1] - 1)) * mask
        inputs = given_for(targets)
        inputs[:, : source.shape[1]] += source
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=total)

    def _drawn(self, steps: Int[Tensor, " rows"], generator: torch.Generator) -> tuple[Symbols, Symbols]:
        """Draw sources, and return them with their targets, both counted from 0; the padding has any value."""
        if self.transduction in TRANSLATED:
            return translation(self.transduction).sample(steps, generator)
        source = torch.randint(0, self.symbols, (len(steps), int(steps.max())), generator=generator)
        place = torch.arange(source.shape[1]).expand_as(source)
        if self.transduction == "reversal":
            place = (steps[:, None] - 1 - place).clamp(min=0)
        elif self.transduction == "bigram-flip":
            place = place + 1 - 2 * (place % 2)
        return source, source.gather(1, place)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the sums of the cross-entropy and of the shares before the first error, and the numbers of targets."""
        wrong = (outputs.detach().argmax(-1) != batch.targets) & batch.mask
        before = (wrong.long().cumsum(1) == 0) & batch.mask
        shares = before.sum(1).double() / batch.mask.sum(1)
        return {
            **class_sums(outputs, batch),
            "shares": float(shares.sum()),
            "exact": float((~wrong.any(1)).sum()),
            "sequences": float(len(batch)),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `fine` and `coarse`."""
        return {"fine": tally["shares"] / tally["sequences"], "coarse": tally["exact"] / tally["sequences"]}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the source and the target; with `outputs` also the most likely symbols."""
        scored = batch.mask[row]
        if batch.kind is PAIRS:
            source = batch.inputs.source[row, : int(batch.inputs.source_lengths[row])]
        else:
            source = batch.inputs[row, : int(scored.int().argmax())]
        rows = {"source": source, "target": batch.targets[row][scored]}
        if outputs is not None:
            rows["output"] = outputs[row][scored].argmax(-1)
        lines = [f"{name} {' '.join(self.vocabulary[s] for s in symbols.tolist())}" for name, symbols in rows.items()]
        return "\n".join([f"{type(self).__name__}, {int(batch.lengths[row])} steps", *lines])


CARD = TaskCard(
    name="transduction",
    summary="Copy, reverse or translate a sequence of symbols.",
    paper=("grefenstette2015",),
    inputs=("sequences", "pairs"),
    small={"symbols": 3, "min_length": 2, "max_length": 4},
    unit="symbols",
    test_lengths=(16, 20, 24, 28, 32),
    picture_length=20,
)
