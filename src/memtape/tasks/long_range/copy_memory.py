"""Copy memory: output a few symbols again after a long lag."""

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
    r"""Copy a few symbols after a long lag of blanks that ends in a delimiter.

    Symbol 0 is the blank, symbols 1 to S are copied, and symbol S + 1 is the delimiter, which occurs in inputs only. The
    length of an example is its lag T. A sequence has T + 2 K steps: K symbols, T - 1 blanks, the delimiter, K blanks. The
    targets are T + K blanks and then the K symbols; all steps are scored. The best cross-entropy without memory is

    $$\frac{K \ln S}{T + 2 K}$$

    nats per step.

    Args:
        symbols: number of different symbols to copy, S.
        remembered: number of symbols in one sequence, K.
        min_length: minimum lag T of a training sequence.
        max_length: maximum lag T of a training sequence.
        same_length: draw one lag for all sequences of a batch instead of one for each.

    Raises:
        ValueError: a size is below 1, or the range is empty.

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
        """Draw symbols and lay out the steps: symbols, blanks, delimiter, blanks."""
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
        """Return the summed cross-entropy, and the numbers of wrong copied symbols, of scored steps and of sequences."""
        wrong = (outputs.detach().argmax(-1) != batch.targets) & (batch.targets > 0) & batch.mask
        return {**class_sums(outputs, batch), "wrong": float(wrong.sum()), "sequences": float(len(batch))}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` per step, and `wrong_symbols` per sequence, counted among the K copied symbols."""
        return {
            "cross_entropy": tally["nats"] / tally["scored"],
            "wrong_symbols": tally["wrong"] / tally["sequences"],
        }

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the best scores without memory: blanks are predicted exactly, and the copied symbols uniformly."""
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
    summary="Copy ten symbols after a long lag of blanks.",
    paper=("arjovsky2016",),
    inputs=("sequences",),
    small={"min_length": 4, "max_length": 4, "remembered": 2},
    unit="blanks",
)
