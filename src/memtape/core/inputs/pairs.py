"""Pairs: a source sequence beside the symbols that it is to be turned into."""

from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Int, Shaped
from torch import Tensor
from torch.nn import functional

from memtape.core import padding
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register
from memtape.core.state import state

BOUNDARY = 0
"""The target symbol that ends every sequence, and is given in the place of a symbol before the first."""


@state
class Pairs:
    """The inputs of a network that turns sequences into sequences; rows that end early are padded with anything."""

    source: Shaped[Tensor, "batch source_time *input"]
    """Symbols, integers of shape (batch, source_time), or vectors, floats of shape (batch, source_time, input)."""
    source_lengths: Int[Tensor, " batch"]
    """How many steps of each source count."""
    given: Int[Tensor, "batch time"]
    """The target one step late, beginning with `BOUNDARY`: each output depends on the true symbol before it."""


class PairsKind(InputKind[Pairs]):
    """`Pairs`, whose time axis is that of the answer: the source is read as a whole, whatever its length."""

    name: ClassVar[str] = "pairs"
    record: ClassVar[type] = Pairs
    article: ClassVar[str] = "memtape.Pairs"
    time_axis: ClassVar[str] = "symbol of the answer"

    def length(self, inputs: Pairs) -> int:
        """Return the number of symbols of the longest answer, padding included."""
        return inputs.given.shape[1]

    def join(self, parts: Sequence[Pairs]) -> Pairs:
        """Return all rows under one another, sources and answers padded with zeros."""
        return Pairs(
            source=padding.joined([part.source for part in parts]),
            source_lengths=padding.joined([part.source_lengths for part in parts]),
            given=padding.joined([part.given for part in parts]),
        )


PAIRS = register(PairsKind())


def given_for(targets: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """Return what is given while the targets are predicted: the targets one step late, beginning with `BOUNDARY`.

    Args:
        targets: the symbols of each row, `BOUNDARY` at its end.

    Example:
        >>> import torch
        >>> given_for(torch.tensor([[3, 5, 0], [4, 0, 0]]))
        tensor([[0, 3, 5],
                [0, 4, 0]])
    """
    return functional.pad(targets[:, :-1], (1, 0), value=BOUNDARY)
