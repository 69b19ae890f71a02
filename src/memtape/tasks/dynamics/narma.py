"""NARMA: predict the output of a nonlinear autoregressive moving-average system driven by noise."""

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
from memtape.tasks.lengths import check_range, draw_lengths, steps_since
from memtape.tasks.regression import RegressionTask, number_sums

LARGEST_ORDER = 10
"""Above this order most sequences exceed the bound eventually."""

BOUND = 1.0
"""A sequence whose output reaches this size at any step is drawn again: about 1 in 40 of order 10 and 2,000 steps. Some of
these grow without limit; most return below the bound."""

TRIES = 100
"""How often a sequence is drawn, at most."""


class Narma(RegressionTask, DrawnTask):
    r"""Predict the output of a nonlinear system driven by noise, given the noise.

    The noise $u_t$ is uniform in 0..1/2. The system is a nonlinear autoregressive moving average of order n with initial state
    0:

    $$y_{t+1} = 0.3 \, y_t + 0.05 \, y_t \sum_{i=0}^{n-1} y_{t-i} + 1.5 \, u_{t-n+1} u_t + 0.1$$

    The input of a step is $u_t$, the target $y_{t+1}$. A sequence with an output $|y_t| \ge 1$ at any step is drawn again: it
    may grow without limit, although most such sequences return. The length of an example is its number of steps. `nrmse` is
    the root of the mean squared error divided by the variance of the targets; always predicting the mean gives 1.

    Args:
        order: order n of the system.
        min_length: minimum number of steps of a training sequence.
        max_length: maximum number of steps of a training sequence.
        washout: number of initial steps that are not scored.
        same_length: draw one length for all sequences of a batch instead of one for each.

    Raises:
        ValueError: the order is outside 1..10, the range is empty, or a length is not larger than the washout.

    Example:
        >>> task = Narma()
        >>> print(task.show(task.batch(0, 1, lengths=(24, 24))))
        Narma, 24 steps
        0.4                       #
        0.3                 #      #
        0.2              ### #####
        0.1 #############
        0.0

    References:
        Atiya & Parlos (2000), "New results on recurrent network training", IEEE Transactions on Neural Networks 11(3), eq. 86.
        Jaeger (2003), "Adaptive nonlinear system identification with echo state networks", NeurIPS 15.
    """

    scored = (Score(name="nrmse", label="normalised root mean squared error", short="nrmse"),)

    def __init__(
        self,
        *,
        order: int = 10,
        min_length: int = 200,
        max_length: int = 200,
        washout: int = 20,
        same_length: bool = False,
    ):
        checks.at_least(1, order=order)
        checks.at_least(0, washout=washout)
        if order > LARGEST_ORDER:
            raise ValueError(f"order is {order}, but above {LARGEST_ORDER} the system diverges; give a smaller order")
        check_range(self, least=washout + 1, length=(min_length, max_length))
        self.order, self.washout, self.same_length = order, washout, same_length
        self.lengths = (min_length, max_length)
        self.input_size = self.output_size = 1

    def shortest_length(self) -> int:
        """Return the washout plus one scored step."""
        return self.washout + 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw noise, and simulate the system; sequences that reach the bound are drawn again."""
        steps = draw_lengths(batch_size, lengths, generator, same=self.same_length)
        time = int(steps.max())
        noise = torch.empty(batch_size, time, dtype=torch.float64)
        driven = torch.full_like(noise, math.inf)
        for _ in range(TRIES):
            lost = ~(driven.abs() < BOUND).all(1)
            if not lost.any():
                break
            noise[lost] = torch.rand(int(lost.sum()), time, dtype=torch.float64, generator=generator) / 2
            driven[lost] = narma(noise[lost], self.order)
        else:
            raise ValueError(
                f"all {TRIES} draws of a sequence of {time} steps had an output of {BOUND:g} or more, as long sequences of "
                f"order {self.order} have; give a smaller length"
            )
        since_begin = steps_since(torch.zeros_like(steps), time)
        inside = since_begin < steps[:, None]
        return SequenceBatch(
            inputs=(noise * inside).float()[:, :, None],
            targets=(driven * inside).float()[:, :, None],
            mask=inside & (since_begin >= self.washout),
            lengths=steps,
        )

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the sums of `number_sums`: squared errors, targets, squared targets, and the number of scored targets."""
        return number_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `nrmse`; infinite if the variance of the targets is 0."""
        variance = tally["target_squared"] / tally["scored"] - (tally["target"] / tally["scored"]) ** 2
        squared = tally["squared"] / tally["scored"]
        return {"nrmse": math.sqrt(squared / variance) if variance > 0 else math.inf}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the error of always predicting the mean."""
        return {"nrmse": 1.0}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a plot with a line for each tenth and a column for each step.

        `#` marks the target. With `outputs`, `o` marks the output, and `@` both in the same line.
        """
        steps = int(batch.lengths[row])
        places = (10 * batch.targets[row, :steps, 0]).long().tolist()
        predicted = [-1] * steps if outputs is None else (10 * outputs[row, :steps, 0]).clamp(0, 9).long().tolist()
        lines = [f"{type(self).__name__}, {steps} steps"]
        for line in reversed(range(max(*places, *predicted) + 1)):
            signs = (" #o@"[(a == line) + 2 * (b == line)] for a, b in zip(places, predicted, strict=True))
            lines.append(f"{line / 10:.1f} " + "".join(signs))
        return "\n".join(line.rstrip() for line in lines)


def narma(noise: Float[Tensor, "batch time"], order: int) -> Float[Tensor, "batch time"]:
    """Return the outputs of a system with initial state 0 after each step of the noise."""
    batch, time = noise.shape
    states = torch.zeros(time + order, batch, dtype=noise.dtype)
    late = torch.zeros_like(noise)
    late[:, order - 1 :] = noise[:, : time - order + 1]
    pushes = (1.5 * late * noise + 0.1).T
    for step in range(time):
        last = states[step : step + order]
        states[step + order] = last[-1] * (0.3 + 0.05 * last.sum(0)) + pushes[step]
    return states[order:].T


CARD = TaskCard(
    name="narma",
    summary="Predict a nonlinear system, whose output depends on its last ten outputs and inputs.",
    paper=("atiya2000",),
    inputs=("sequences",),
    small={"min_length": 30, "max_length": 30, "washout": 20},
    unit="steps",
)
