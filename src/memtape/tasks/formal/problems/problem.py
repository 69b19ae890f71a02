"""Problem: a generator of inputs and answers of one length."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

END = "|"
"""The class that ends an answer of variable length."""

Examples = tuple[Int[Tensor, "rows time"], Int[Tensor, "rows answer"]]
"""Inputs and their answers, as symbols and classes."""

Sampler = Callable[[int, int, torch.Generator], Examples]
"""Function that draws the given number of examples of one length."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A function of symbol sequences.

    Attributes:
        symbols: the name of each input symbol.
        classes: the name of each output class; if the last is `END`, the answer ends at its first occurrence.
        sample: draws examples; its arguments are the number of rows, the length of the input and the generator.
        chance: accuracy of a random baseline.
    """

    symbols: tuple[str, ...]
    classes: tuple[str, ...]
    sample: Sampler
    chance: float = 0.5


def below(limits: Int[Tensor, "*shape"], generator: torch.Generator) -> Int[Tensor, "*shape"]:
    """Draw an integer uniformly from 0 to each limit, without the limit."""
    chances = torch.rand(limits.shape, dtype=torch.float64, generator=generator)
    return (chances * limits).long()


def bits(rows: int, count: int, generator: torch.Generator) -> Int[Tensor, "rows count"]:
    """Draw uniform random bits."""
    return torch.randint(0, 2, (rows, count), generator=generator)
