"""Bits: the loss and the scores of tasks whose targets are bits, and helpers to lay out their sequences."""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.score import Score
from memtape.core.task import DrawnTask

COST_BITS = Score(name="cost_bits", label="cost, bits per sequence", short="bits")
WRONG_BITS = Score(name="wrong_bits", label="wrong bits per sequence", short="wrong")


class BitTask(DrawnTask):
    """Abstract task whose targets are bits and whose outputs are their logits.

    The loss is the cross-entropy per scored bit, in nats. Two scores are averages over sequences: `cost_bits`, the
    cross-entropy of the whole answer in bits, as in the paper; and `wrong_bits`, the number of wrong bits of the answer after
    thresholding, as in most code.
    """

    scored: ClassVar[tuple[Score, ...]] = (COST_BITS, WRONG_BITS)
    solved_at = 0.0
    stuck_at = 2.0

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of the scored bits, in nats."""
        return functional.binary_cross_entropy_with_logits(outputs[batch.mask], batch.targets[batch.mask])

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored steps."""
        return float(batch.mask.sum())

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed cross-entropy in nats, and the numbers of wrong bits and of sequences."""
        answer, target = outputs.detach()[batch.mask], batch.targets[batch.mask]
        nats = functional.binary_cross_entropy_with_logits(answer, target, reduction="sum")
        wrong = ((answer > 0) != (target > 0.5)).sum()
        return {"nats": float(nats), "wrong": float(wrong), "sequences": float(len(batch))}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cost_bits` and `wrong_bits` per sequence."""
        return {
            "cost_bits": tally["nats"] / math.log(2) / tally["sequences"],
            "wrong_bits": tally["wrong"] / tally["sequences"],
        }

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the scores of random bits: a cost of one bit per target bit, half of them wrong; averaged over sequences."""
        batches = [self.batch(index, 8, split="example", lengths=lengths) for index in range(32)]
        bits = sum(float(batch.mask.sum()) for batch in batches) * self.output_size / (8 * len(batches))
        return {"cost_bits": bits, "wrong_bits": bits / 2}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a line for each channel, a column for each step.

        A 1 is shown as `#`, a 0 as `.`, another number as its sign, a step that is not scored as a space. With `outputs` the
        thresholded outputs follow, and a last line marks the steps with a wrong bit by `^`.
        """
        length = int(batch.lengths[row])
        scored = batch.mask[row, :length]
        lines = [f"{type(self).__name__}, {length} steps"]
        lines += _channels("input ", batch.inputs[row, :length], torch.ones_like(scored))
        lines += _channels("target", batch.targets[row, :length], scored)
        if outputs is not None:
            answer = (outputs[row, :length] > 0).to(batch.targets)
            lines += _channels("output", answer, scored)
            wrong = (answer != batch.targets[row, :length]).any(-1) & scored
            lines.append("wrong     " + "".join("^" if step else " " for step in wrong.tolist()))
        return "\n".join(line.rstrip() for line in lines)


def _channels(name: str, values: Tensor, shown: Tensor) -> list[str]:
    return [
        f"{name} {channel:2d} "
        + "".join(_symbol(value) if show else " " for value, show in zip(steps, shown.tolist(), strict=True))
        for channel, steps in enumerate(values.T.tolist())
    ]


def _symbol(value: float) -> str:
    if value in (0.0, 1.0):
        return "#" if value else "."
    return "+" if value > 0 else "-"


def draw_bits(*shape: int, generator: torch.Generator) -> Tensor:
    """Draw uniform random bits, as floats."""
    return torch.randint(0, 2, shape, generator=generator).float()


def pick(values: Tensor, index: Tensor) -> Tensor:
    """Return `values[b, index[b, t]]`, shape (batch, time, width); an index out of range is clamped."""
    index = index.clamp(0, values.shape[1] - 1)
    return values.gather(1, index[:, :, None].expand(-1, -1, values.shape[2]))


def put_where(sequence: Tensor, where: Tensor, values: Tensor, channels: slice) -> None:
    """Set channels of a sequence, shape (batch, time, size), to `values` at the steps where `where` is True, in place."""
    sequence[:, :, channels] = torch.where(where[:, :, None], values, sequence[:, :, channels])
