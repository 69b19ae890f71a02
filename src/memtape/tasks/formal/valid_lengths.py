"""Valid lengths: draw lengths that the strings of a grammar can have."""

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.formal.grammar.grammar import Grammar


def valid_within(grammar: Grammar, lengths: tuple[int, int], language: str) -> list[int]:
    """Return the valid lengths in a range; if it has none, the longest valid one below.

    Args:
        grammar: the grammar.
        lengths: shortest and longest length.
        language: name of the language, for the error message.

    Raises:
        ValueError: every string of the language is longer.
    """
    valid = grammar.valid_lengths(lengths[1])
    if not valid:
        raise ValueError(
            f"the longest length is {lengths[1]}, but every string of {language} is longer; give a larger length"
        )
    return [length for length in valid if length >= lengths[0]] or valid[-1:]


def draw_among(
    valid: list[int], batch_size: int, generator: torch.Generator, *, same: bool = False
) -> Int[Tensor, " batch"]:
    """Draw a length for each row uniformly, or one length for all rows."""
    drawn = torch.randint(0, len(valid), (1 if same else batch_size,), generator=generator)
    return torch.tensor(valid)[drawn].expand(batch_size)
