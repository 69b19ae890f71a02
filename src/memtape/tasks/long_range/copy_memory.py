"""Copy memory: say a few symbols again after a long blank."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.lengths import check_range, draw_lengths, steps_since


class CopyMemory(ClassificationTask, DrawnTask):
    r"""See a few symbols, then blanks for long, and say the symbols again after a delimiter.

    Symbol 0 is the blank, then come those to remember, and the last is the delimiter, which is no output. With K symbols to
    remember a sequence of length T, its lag, takes T + 2 K steps: the symbols, T - 1 blanks, the delimiter, K blanks. The
    answer is blank up to the delimiter and then the symbols; all steps are scored. Who remembers nothing can do no better than

    $$\frac{K \ln S}{T + 2 K}$$

    nats a step, with S different symbols.

    Args:
        symbols: number of different symbols to remember, S.
        remembered: number of symbols of one sequence, K.
        min_length: least lag of a training sequence, T.
        max_length: greatest lag of a training sequence.
        same_length: draw one lag for a whole batch (else one for each row).

    Raises:
        ValueError: a size below 1, or an empty range.

    Example:
        >>> task = CopyMemory(remembered=4)
        >>> print(task.show(task.batch(0, 1, lengths=(6, 6))))
        CopyMemory, 14 steps
        input  2514.....:....
        target ..........2514

    References:
        Hochreiter & Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8).
        Arjovsky, Shah & Bengio (2016), "Unitary evolution recurrent neural networks", arXiv:1511.06464, section 4.1.
    """

    scored = (
        Score(name="cross_entropy", label="cross-entropy, nats per step", short="nats"),
        Score(name="wrong_symbols", label="wrong symbols per sequence", short="wrong"),
    )
    solved_at = 0.0

    def __init__(
        self,
        *,
        symbols: int = 8,
        remembered: int = 10,
        min_length: int = 100,
        max_length: int = 100,
        same_length: bool = False,
    ):
        checks.at_least(1, symbols=symbols, remembered=remembered)
        check_range(self, length=(min_length, max_length))
        self.symbols, self.remembered, self.same_length = symbols, remembered, same_length
        self.lengths = (min_length, max_length)
        self.input_size, self.output_size = symbols + 2, symbols + 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw symbols and lay them out: symbols, blanks, delimiter, blanks."""
        lags = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        symbols = torch.randint(1, self.symbols + 1, (batch_size, self.remembered), generator=generator)
        steps = lags + 2 * self.remembered
        since_begin = steps_since(torch.zeros_like(steps), int(steps.max()))
        since_answer = since_begin - (lags + self.remembered)[:, None]
        inputs = torch.zeros_like(since_begin)
        inputs[:, : self.remembered] = symbols
        inputs[since_answer == -1] = self.symbols + 1
        answer = symbols.gather(1, since_answer.clamp(0, self.remembered - 1))
        answered = (since_answer >= 0) & (since_answer < self.remembered)
        return SequenceBatch(inputs=inputs, targets=answer * answered, mask=since_begin < steps[:, None], lengths=steps)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the cross-entropy, how many of the remembered symbols are wrong, and the numbers of steps and sequences."""
        wrong = (outputs.detach().argmax(-1) != batch.targets) & (batch.targets > 0) & batch.mask
        return {**class_sums(outputs, batch), "wrong": float(wrong.sum()), "sequences": float(len(batch))}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` per step, and `wrong_symbols` per sequence, of those to remember."""
        return {
            "cross_entropy": tally["nats"] / tally["scored"],
            "wrong_symbols": tally["wrong"] / tally["sequences"],
        }

    def guess(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return what is left to who remembers nothing: blanks are known, each symbol is as likely as another."""
        steps = sum(lengths) / 2 + 2 * self.remembered
        return {
            "cross_entropy": self.remembered * math.log(self.symbols) / steps,
            "wrong_symbols": self.remembered * (1 - 1 / self.symbols),
        }

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a column for each step, `.` for a blank and `:` for the delimiter."""
        length = int(batch.lengths[row])
        rows = {"input ": batch.inputs, "target": batch.targets}
        if outputs is not None:
            rows["output"] = outputs.argmax(-1)
        lines = [
            f"{name} " + "".join(self._letter(symbol) for symbol in symbols[row, :length].tolist())
            for name, symbols in rows.items()
        ]
        return "\n".join([f"{type(self).__name__}, {length} steps", *lines])

    def _letter(self, symbol: int) -> str:
        if symbol in (0, self.symbols + 1):
            return ":" if symbol else "."
        return "0123456789abcdefghijklmnopqrstuvwxyz"[symbol] if symbol < 36 else "?"


CARD = TaskCard(
    name="copy-memory",
    summary="Repeat ten symbols after a long blank.",
    paper=("arjovsky2016",),
    inputs=("sequences",),
    small={"min_length": 4, "max_length": 4, "remembered": 2},
    unit="blanks",
)
