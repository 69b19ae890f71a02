"""Symbols: integers that represent vectors."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def are_symbols(xs: Any) -> bool:
    """Return whether inputs are symbols: integers of shape (batch, time)."""
    whole = isinstance(xs, Tensor) and not (xs.is_floating_point() or xs.is_complex() or xs.dtype == torch.bool)
    return whole and xs.ndim == 2


def known(symbols: Int[Tensor, "..."], count: int, owner: str) -> Int[Tensor, "..."]:
    """Check that all symbols are in 0..count-1, and return them.

    Args:
        symbols: the symbols.
        count: size of the vocabulary.
        owner: name of the reader, for the error message.

    Raises:
        ValueError: a symbol is outside 0..count-1; the message names the first one.
    """
    wrong = (symbols < 0) | (symbols >= count)
    if not torch.compiler.is_compiling() and bool(wrong.any()):
        place = tuple(torch.nonzero(wrong)[0].tolist())
        raise ValueError(
            f"the symbol at (row, step) {place} is {int(symbols[place])}, but {owner} reads the symbols 0..{count - 1}; "
            "use the vocabulary that the network was built for"
        )
    return symbols


def one_hot(
    symbols: Int[Tensor, "batch time"], count: int, dtype: torch.dtype | None = None
) -> Float[Tensor, "batch time count"]:
    """Return the one-hot vectors of symbols: 1 at the index of the symbol and 0 elsewhere."""
    return functional.one_hot(symbols, count).to(dtype or torch.get_default_dtype())
