"""Lengths: check ranges of lengths and draw a length for each row."""

import math
from typing import Any

import torch
from torch import Tensor

from memtape.core import checks


def check_range(task: Any, least: int = 1, **bounds: tuple[int, int]) -> None:
    """Raise unless each named pair is a nonempty range, ends included, whose lower end is at least `least`.

    Raises:
        ValueError: a range is empty or its lower end is too small; the message names its two ends.
    """
    for name, (low, high) in bounds.items():
        checks.at_least(least, **{f"min_{name}": low})
        checks.at_least(least, **{f"max_{name}": high})
        if high < low:
            raise ValueError(
                f"max_{name} of {type(task).__name__} is {high}, but min_{name} is {low} and must not be larger; "
                f"raise max_{name} or lower min_{name}"
            )


def draw_lengths(
    batch_size: int, lengths: tuple[int, int], generator: torch.Generator, *, same: bool = False, ratio: float = 1.0
) -> Tensor:
    r"""Draw a length for each row from a range with both ends included; one length for all rows if `same`.

    The probability of a length $n$ is proportional to $\text{ratio}^n$.
    """
    shortest, longest = lengths
    rows = 1 if same else batch_size
    if ratio == 1:
        drawn = torch.randint(shortest, longest + 1, (rows,), generator=generator)
    else:
        logits = torch.arange(shortest, longest + 1, dtype=torch.float64) * math.log(ratio)
        drawn = shortest + torch.multinomial(logits.softmax(0), rows, replacement=True, generator=generator)
    return drawn.expand(batch_size)


def steps_since(begin: Tensor, time: int) -> Tensor:
    """Return the number of steps since each row's step `begin`, shape (batch, time); negative before it."""
    return torch.arange(time) - begin[:, None]
