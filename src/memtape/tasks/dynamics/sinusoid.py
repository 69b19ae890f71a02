"""Sinusoid: continue a sine wave."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.tasks.lengths import check_range, draw_lengths
from memtape.tasks.regression import RegressionTask, number_sums

MEAN = 5.0
AMPLITUDES = (1.0, 5.0)
FREQUENCIES = (10.0, 30.0)
PHASES = (0.0, 100.0)
STEPS_OF_A_UNIT = 1000
"""A wave of frequency f has a period of 1000 / f steps."""


class Sinusoid(RegressionTask, DrawnTask):
    r"""Read T values of a sine wave, and then write the next T values, with inputs of zeros.

    $$y_t = 5 + A \sin(2 \pi f x_t + \varphi), \qquad x_t = (t + \epsilon_t) / 1000$$

    with an amplitude A uniform in 1 to 5, a frequency f uniform in 10 to 30, a phase $\varphi$ uniform in 0 to 100, and a
    jitter $\epsilon_t$ uniform in -1 to 1. The second input is 1 in the steps of the answer. The length of an example is T, the
    same for all rows of a batch. `mse` is the mean squared error; always predicting 5 gives about 31/6, half the mean of $A^2$.

    The source has T steps, the value of `--model.writing-steps` for machines that write in intervals.

    Args:
        noise: the inputs have an error uniform between minus this number and this number; 2 in the noisy task of the paper.
        min_length: minimum number of values in training.
        max_length: maximum number of values in training.

    Raises:
        ValueError: the noise is negative, or the range of lengths is empty or below 1.

    Example:
        >>> task = Sinusoid()
        >>> print(task.show(task.batch(0, 1, lengths=(40, 40))))
        Sinusoid, 80 steps
          9 ...
          8    ..                                  #
          7      ..                               #
          6        .                            ##
          5         ..                        ##
          4           .                      #
          3            ..                 ###
          2              ...            ##
          1                 .         ##
          0                  ...######

    References:
        Le, Tran & Venkatesh (2019), "Learning to remember more with less memorization", arXiv:1901.01347, section 4.2.
        The jitter of each step and the input that marks the answer are choices where the paper is silent.
    """

    scored = (Score(name="mse", label="mean squared error", short="MSE"),)

    def __init__(self, *, noise: float = 0.0, min_length: int = 100, max_length: int = 100):
        if not 0 <= noise < math.inf:
            raise ValueError(
                f"noise is {noise}, but it must be finite and at least 0; give 0 for inputs without errors"
            )
        check_range(self, least=1, length=(min_length, max_length))
        self.noise, self.lengths = noise, (min_length, max_length)
        self.input_size, self.output_size = 2, 1

    def shortest_length(self) -> int:
        """Return 1."""
        return 1

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw waves of one length, and lay out the values, and zeros for the answer."""
        length = int(draw_lengths(batch_size, lengths, generator, same=True)[0])

        def uniform(low: float, high: float, *size: int) -> Tensor:
            return low + (high - low) * torch.rand(batch_size, *size, generator=generator, dtype=torch.float64)

        places = (torch.arange(1, 2 * length + 1) + uniform(-1.0, 1.0, 2 * length)) / STEPS_OF_A_UNIT
        amplitude, frequency, phase = (uniform(*bounds, 1) for bounds in (AMPLITUDES, FREQUENCIES, PHASES))
        values = MEAN + amplitude * torch.sin(2 * math.pi * frequency * places + phase)
        seen = values[:, :length] + uniform(-float(self.noise), float(self.noise), length)
        answers = (torch.arange(2 * length) >= length).expand(batch_size, -1)
        inputs = torch.stack([functional.pad(seen, (0, length)), answers.double()], dim=-1)
        return SequenceBatch(
            inputs=inputs.float(),
            targets=(values * answers).float()[:, :, None],
            mask=answers.clone(),
            lengths=torch.full((batch_size,), 2 * length),
        )

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the sums of `number_sums`."""
        return number_sums(outputs, batch)

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `mse`."""
        return {"mse": tally["squared"] / tally["scored"]}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the error of always predicting 5, for a phase uniform in whole periods."""
        low, high = AMPLITUDES
        return {"mse": (high**3 - low**3) / (3 * (high - low)) / 2}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a plot with a line for each unit and a column for each second step.

        `.` marks the input, `#` the target and, with `outputs`, `o` the output and `@` target and output in the same line.
        """
        steps = int(batch.lengths[row])
        marks: dict[tuple[int, int], str] = {}
        for t in range(0, steps, 2):
            scored = bool(batch.mask[row, t])
            value = float(batch.targets[row, t, 0] if scored else batch.inputs[row, t, 0])
            marks[math.floor(value), t] = "#" if scored else "."
            if scored and outputs is not None:
                line = math.floor(float(outputs[row, t, 0].clamp(-10, 20)))
                marks[line, t] = "@" if (line, t) in marks else "o"
        lines = [f"{type(self).__name__}, {steps} steps"]
        for line in range(max(place for place, _ in marks), min(place for place, _ in marks) - 1, -1):
            lines.append(f"{line:3d} " + "".join(marks.get((line, t), " ") for t in range(0, steps, 2)))
        return "\n".join(line.rstrip() for line in lines)


CARD = TaskCard(
    name="sinusoid",
    summary="Read the first half of a sine wave, and write the second.",
    paper=("le2019",),
    inputs=("sequences",),
    small={"min_length": 10, "max_length": 10},
    unit="steps",
)
