"""Access schedule: the steps at which a machine accesses its memory."""

from abc import ABC, abstractmethod
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from memtape.core import checks

Writing = Literal["every", "uniform", "cached", "random"]
WRITING = ("every", "uniform", "cached", "random")


class AccessSchedule(nn.Module, ABC):
    """Abstract rule that decides from the number of a step whether the memory is accessed.

    Args:
        source_steps: number of the last step to which the rule applies, such as the steps that encode a source; the memory is
            accessed in all later steps. None for no end.
    """

    def __init__(self, source_steps: int | None):
        super().__init__()
        if source_steps is not None:
            checks.at_least(1, writing_steps=source_steps)
        self.source_steps = source_steps

    @abstractmethod
    def chosen(self, numbers: Float[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
        """Return which of the steps with these numbers are accessed by the rule."""

    def in_source(self, numbers: Float[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
        """Return to which of the steps with these numbers the rule applies."""
        if self.source_steps is None:
            return torch.ones_like(numbers, dtype=torch.bool)
        return numbers <= self.source_steps

    def forward(self, numbers: Float[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
        """Return in which of the steps with these numbers the memory is accessed."""
        return self.chosen(numbers) | ~self.in_source(numbers)


class UniformSchedule(AccessSchedule):
    r"""Access the memory in every l-th step, $t = l, 2l, 3l, \dots$.

    Args:
        interval: l.
        source_steps: as for `AccessSchedule`.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is below 1.

    References:
        Le, Tran & Venkatesh (2019), "Learning to remember more with less memorization", arXiv:1901.01347, section 3.
    """

    def __init__(self, interval: int, source_steps: int | None = None):
        super().__init__(source_steps)
        checks.at_least(1, writing_interval=interval)
        self.interval = interval

    def chosen(self, numbers: Float[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
        """Return which numbers are positive multiples of the interval."""
        return (numbers.remainder(self.interval) == 0) & (numbers > 0)


class RandomSchedule(AccessSchedule):
    r"""Access the memory in steps that are drawn once, independently of one another, each with probability p.

    Args:
        probability: p.
        source_steps: the number of steps that are drawn.
        seed: seed of the draws.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is below 1, or the probability is not between 0 and 1.

    References:
        Le, Tran & Venkatesh (2019), arXiv:1901.01347, section 4.1: random writing.
    """

    steps: Tensor

    def __init__(self, probability: float, source_steps: int, *, seed: int = 0):
        super().__init__(source_steps)
        checks.probabilities(probability=probability)
        drawn = torch.rand(source_steps, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        self.register_buffer("steps", drawn < probability)

    def chosen(self, numbers: Float[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
        """Return which steps were drawn."""
        places = numbers.long() - 1
        inside = (places >= 0) & (places < len(self.steps))
        return self.steps[places.clamp(0, len(self.steps) - 1)] & inside
