"""Triples: the loss and the scores of graph tasks whose answers are triples of labels."""

import math
from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from memtape.core.batch import SequenceBatch
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.answers import answer_sums
from memtape.tasks.graph.encoding import CHANNELS, DIGITS, TRIPLE, digit_scores
from memtape.tasks.graph.triple_text import shown_phases

CROSS_ENTROPY = Score(name="cross_entropy", label="cross-entropy, nats per triple", short="nats")
RIGHT = Score(name="right", label="share of correct answers", short="right", higher_is_better=True)


class TripleTask(DrawnTask):
    """Abstract task whose targets are triples of labels, nine digits each, and whose outputs are the logits of the digits.

    The loss is the cross-entropy per triple, in nats. `right` is the share of answers in which all digits of all triples are
    correct, including the end marker.
    """

    scored = (CROSS_ENTROPY, RIGHT)
    solved_at = 0.9
    input_size = CHANNELS
    output_size = TRIPLE

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of the scored triples, in nats."""
        return _nats(outputs[batch.mask], batch.targets[batch.mask]).mean()

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored triples."""
        return float(batch.mask.sum())

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy in nats, and the numbers of triples, answers and correct answers."""
        answer = outputs.detach()
        targets = batch.targets.unflatten(-1, (DIGITS, 10)).argmax(-1)
        wrong = (answer.unflatten(-1, (DIGITS, 10)).argmax(-1) != targets).any(-1)
        return {
            "nats": float(_nats(answer[batch.mask], batch.targets[batch.mask]).sum()),
            "triples": float(batch.mask.sum()),
            **answer_sums(wrong, batch.mask),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` per triple, and `right`."""
        return {"cross_entropy": tally["nats"] / tally["triples"], "right": tally["right"] / tally["answers"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the cross-entropy of uniform predictions of the nine digits, and a `right` of 0."""
        return {"cross_entropy": DIGITS * math.log(10), "right": 0.0}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text, phase by phase: the triples of the graph, of the queries and of the targets.

        With `outputs`, the predicted triples follow; `!` marks wrong ones.
        """
        length = int(batch.lengths[row])
        scores = None if outputs is None else digit_scores(outputs[row, :length]).flatten(-2)
        lines = shown_phases(batch.inputs[row, :length], batch.targets[row, :length], scores)
        return "\n".join([f"{type(self).__name__}, {length} steps", *lines])


def _nats(outputs: Float[Tensor, "*shape 90"], targets: Float[Tensor, "*shape 90"]) -> Float[Tensor, "*shape"]:
    return -(digit_scores(outputs).flatten(-2) * targets).sum(-1)
