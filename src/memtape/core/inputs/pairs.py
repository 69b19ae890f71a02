"""Pairs: source sequences and their target symbols, shifted by one step."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Integer, Shaped
from torch import Tensor
from torch.nn import functional

from memtape.core import checks, padding
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register
from memtape.core.integers import is_integral, widened
from memtape.core.state import state
from memtape.core.symbols import known

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


def symbol_rows(
    symbols: Tensor, lengths: Any, count: int, *, side: str, reader: str, instead: str = ""
) -> tuple[Tensor, Tensor]:
    """Check rows of symbols and their lengths, and return the symbols with 0 for padding, and the lengths.

    Args:
        symbols: the symbols, integers of shape (batch, time).
        lengths: number of valid symbols of each row; None for all.
        count: size of the vocabulary.
        side: what the symbols are, such as "source".
        reader: name of the network that reads them.
        instead: another cure for symbols that are not integers.

    Raises:
        TypeError: the symbols or the lengths are not integers.
        ValueError: the shape, a symbol or a length is invalid.
    """
    if not is_integral(symbols):
        raise TypeError(
            f"the {side} has dtype {symbols.dtype}, but this {reader} reads symbols there; pass integers{instead}"
        )
    if symbols.ndim != 2 or symbols.shape[1] < 1:
        raise ValueError(
            f"the {side} has shape {tuple(symbols.shape)}, but {reader} reads symbols of shape (batch, time) "
            "with at least one step of time; pad or reshape them"
        )
    if lengths is None:
        lengths = torch.full((len(symbols),), symbols.shape[1], device=symbols.device)
    lengths = checks.lengths_of(symbols, lengths)
    read = torch.where(padding.alive(symbols, lengths), symbols, 0)
    return known(read, count, f"the {side} side of {reader}"), lengths
