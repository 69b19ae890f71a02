"""Valid lengths: draw lengths that the strings of a grammar can have."""

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.formal.grammar.grammar import Grammar


def draw_valid_lengths(
    grammar: Grammar,
    batch_size: int,
    lengths: tuple[int, int],
    generator: torch.Generator,
    what: str,
    *,
    same: bool = False,
) -> Int[Tensor, " batch"]:
    """Draw a length for each row, uniformly from the valid ones of a range; the longest valid one below if it has none.

    Args:
        grammar: the grammar.
        batch_size: number of rows.
        lengths: shortest and longest length.
        generator: the random generator.
        what: what has these lengths, in the error message.
        same: draw one length for all rows.

    Raises:
        ValueError: no string is as short as the longest length.
    """
    valid = grammar.valid_lengths(lengths[1])
    if not valid:
        raise ValueError(f"the longest length is {lengths[1]}, but {what} is longer; give a larger length")
    inside = [length for length in valid if length >= lengths[0]] or valid[-1:]
    drawn = torch.randint(0, len(inside), (1 if same else batch_size,), generator=generator)
    return torch.tensor(inside)[drawn].expand(batch_size)
