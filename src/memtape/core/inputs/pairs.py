"""Pairs: source sequences and their target symbols, shifted by one step."""

from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Integer, Shaped
from torch import Tensor
from torch.nn import functional

from memtape.core import padding
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register
from memtape.core.integers import widened
from memtape.core.state import state

BOUNDARY = 0
"""The target symbol that ends every sequence; it is also the input of the first decoder step."""


@state
class Pairs:
    """The inputs of a sequence-to-sequence network; the padding of shorter rows may have any value."""

    source: Shaped[Tensor, "batch source_time *input"]
    """Symbols, integers of shape (batch, source_time), or vectors, floats of shape (batch, source_time, input)."""
    source_lengths: Integer[Tensor, " batch"]
    """Number of valid steps of each source."""
    given: Integer[Tensor, "batch time"]
    """The targets shifted by one step, with `BOUNDARY` first: the decoder inputs under teacher forcing."""

    def __post_init__(self) -> None:
        """Convert integers of any size to int64."""
        for name in ("source", "source_lengths", "given"):
            object.__setattr__(self, name, widened(getattr(self, name)))


class PairsKind(InputKind[Pairs]):
    """`Pairs`, whose time axis is that of the answer; the source is read as a whole."""

    name: ClassVar[str] = "pairs"
    record: ClassVar[type] = Pairs
    article: ClassVar[str] = "memtape.Pairs"
    time_axis: ClassVar[str] = "symbol of the answer"

    def length(self, inputs: Pairs) -> int:
        """Return the number of symbols of the longest answer, padding included."""
        return inputs.given.shape[1]

    def join(self, parts: Sequence[Pairs]) -> Pairs:
        """Concatenate the rows, sources and answers padded with zeros."""
        return Pairs(
            source=padding.joined([part.source for part in parts]),
            source_lengths=padding.joined([part.source_lengths for part in parts]),
            given=padding.joined([part.given for part in parts]),
        )


PAIRS = register(PairsKind())


def given_for(targets: Integer[Tensor, "batch time"]) -> Integer[Tensor, "batch time"]:
    """Return the decoder inputs under teacher forcing: the targets shifted by one step, with `BOUNDARY` first.

    Args:
        targets: the symbols of each row, with `BOUNDARY` at the end.

    Example:
        >>> import torch
        >>> given_for(torch.tensor([[3, 5, 0], [4, 0, 0]]))
        tensor([[0, 3, 5],
                [0, 4, 0]])
    """
    return functional.pad(targets[:, :-1], (1, 0), value=BOUNDARY)
