"""NARMA: follow a system that remembers its own outputs and the noise that drives it."""

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
"""Beyond it most sequences leave every bound sooner or later."""

BOUND = 1.0
"""A sequence that leaves it will run away, and is drawn anew; of order 10 that is one of 36 with 2,000 steps."""

TRIES = 100
"""How often at most."""


class Narma(RegressionTask, DrawnTask):
    r"""See the noise that drives a system, and say what the system does.

    The noise $u_t$ is uniform from 0 to 1/2, and the system, at rest before, an autoregressive moving average of order n:

    $$y_{t+1} = 0.3 \, y_t + 0.05 \, y_t \sum_{i=0}^{n-1} y_{t-i} + 1.5 \, u_{t-n+1} u_t + 0.1$$

    At each step the network sees $u_t$ and says $y_{t+1}$. A sequence that runs away is drawn anew. Its length is the number of
    steps. `nrmse` is the root of the mean squared error divided by the variance of what was to say; who always says the mean
    scores 1.

    Args:
        order: how far the system remembers, n.
        min_length: fewest steps of a training sequence.
        max_length: most steps of a training sequence.
        washout: steps at the beginning that are not scored.
        same_length: draw one length for a whole batch (else one for each row).

    Raises:
        ValueError: an order outside 1..10, an empty range, or a sequence that is over before it is scored.

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
            raise ValueError(
                f"order is {order}, but beyond {LARGEST_ORDER} this system runs away; give a smaller order"
            )
        check_range(self, least=washout + 1, length=(min_length, max_length))
        self.order, self.washout, self.same_length = order, washout, same_length
        self.lengths = (min_length, max_length)
        self.input_size = self.output_size = 1

    def shortest_length(self) -> int:
        """Return the washout and one step that is scored."""
        return self.washout + 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw noise, and drive systems with it."""
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
                f"of {TRIES} sequences of {time} steps none kept in its bounds, as none of order {self.order} does for long; "
                "give a smaller length"
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
        """Return the sum of squared errors, and what makes the variance of the targets."""
        return number_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `nrmse`; where all targets are the same number it has no bound."""
        variance = tally["target_squared"] / tally["scored"] - (tally["target"] / tally["scored"]) ** 2
        squared = tally["squared"] / tally["scored"]
        return {"nrmse": math.sqrt(squared / variance) if variance > 0 else math.inf}

    def guess(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the error of who always says the mean."""
        return {"nrmse": 1.0}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a line for each tenth that the target reaches, a column for each step.

        The target is `#`; with `outputs` what is said is `o`, and `@` where the two are in the same line.
        """
        steps = int(batch.lengths[row])
        places = (10 * batch.targets[row, :steps, 0]).long().tolist()
        said = [-1] * steps if outputs is None else (10 * outputs[row, :steps, 0]).clamp(0, 9).long().tolist()
        lines = [f"{type(self).__name__}, {steps} steps"]
        for line in reversed(range(max(*places, *said) + 1)):
            signs = (" #o@"[(a == line) + 2 * (b == line)] for a, b in zip(places, said, strict=True))
            lines.append(f"{line / 10:.1f} " + "".join(signs))
        return "\n".join(line.rstrip() for line in lines)


def narma(noise: Float[Tensor, "batch time"], order: int) -> Float[Tensor, "batch time"]:
    """Return what a system at rest does after each step of the noise."""
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
    summary="Follow a system whose output depends on its last ten outputs and inputs.",
    paper=("atiya2000",),
    inputs=("sequences",),
    small={"min_length": 30, "max_length": 30, "washout": 20},
    unit="steps",
)
