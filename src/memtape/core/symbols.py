"""Symbols: integers that represent vectors."""

from typing import Any

import torch
from jaxtyping import Float, Int, Int64, Integer
from torch import Tensor
from torch.nn import functional

from memtape.core import checks, padding
from memtape.core.integers import is_integer, is_integral, shown


def are_symbols(xs: Any) -> bool:
    """Return whether inputs are symbols: integers of shape (batch, time)."""
    return isinstance(xs, Tensor) and is_integral(xs) and xs.ndim == 2


def known(symbols: Integer[Tensor, "*shape"], count: int, owner: str) -> Int64[Tensor, "*shape"]:
    """Check that all symbols are in 0..count-1, and return them as int64.

    Args:
        symbols: the symbols.
        count: size of the vocabulary.
        owner: name of the reader, for the error message.

    Raises:
        ValueError: a symbol is outside 0..count-1; the message names the first one.
    """
    symbols = symbols.long()
    wrong = (symbols < 0) | (symbols >= count)
    if not torch.compiler.is_compiling() and bool(wrong.any()):
        place = tuple(torch.nonzero(wrong)[0].tolist())
        raise ValueError(
            f"the symbol at (row, step) {place} is {int(symbols[place])}, but {owner} reads the symbols 0..{count - 1}; "
            "use the vocabulary that the network was built for"
        )
    return symbols


def zero_padding(symbols: Integer[Tensor, "batch time"], lengths: Any) -> Integer[Tensor, "batch time"]:
    """Return symbols with 0 beyond the length of each row, where they may have any value."""
    if lengths is None:
        return symbols
    return torch.where(padding.alive(symbols, checks.lengths_of(symbols, lengths)), symbols, 0)


def vectors_of(cell: Any, xs: Tensor, lengths: Any = None) -> tuple[Any, Tensor]:
    """Return the vectors of symbols and the cell that reads them; if the inputs are vectors, both are unchanged.

    Args:
        cell: a `Cell`.
        xs: the inputs of the cell.
        lengths: number of valid steps of each row; None for all.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: a symbol is outside the vocabulary of the cell, or the lengths do not fit.
    """
    if not are_symbols(xs):
        return cell, xs
    return cell.read(known(zero_padding(xs.long(), lengths), cell.input_size, type(cell).__name__))


def one_hot(
    symbols: Int[Tensor, "batch time"], count: int, dtype: torch.dtype | None = None
) -> Float[Tensor, "batch time count"]:
    """Return the one-hot vectors of symbols: 1 at the index of the symbol and 0 elsewhere."""
    return functional.one_hot(symbols, count).to(dtype or torch.get_default_dtype())


def in_vocabulary(count: int, **symbols: int) -> None:
    """Raise unless every named symbol is in 0..count-1.

    Raises:
        TypeError: a symbol is not an integer.
        ValueError: a symbol is outside 0..count-1.
    """
    for name, symbol in symbols.items():
        if not is_integer(symbol):
            raise TypeError(f"{name} is {symbol!r}, but it is a symbol; give an integer in 0..{count - 1}")
        if not 0 <= symbol < count:
            raise ValueError(
                f"{name} is {shown(symbol)}, but the network writes the symbols 0..{count - 1}; give one of them"
            )
