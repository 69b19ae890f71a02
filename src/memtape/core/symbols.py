"""Symbols: whole numbers that stand for vectors."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def are_symbols(xs: Any) -> bool:
    """Tell whether inputs are symbols: whole numbers of shape (batch, time)."""
    whole = isinstance(xs, Tensor) and not (xs.is_floating_point() or xs.is_complex() or xs.dtype == torch.bool)
    return whole and xs.ndim == 2


def known(symbols: Int[Tensor, "..."], count: int, owner: str) -> Int[Tensor, "..."]:
    """Return symbols once they are known to lie in 0..count-1.

    Args:
        symbols: the symbols.
        count: how many there are.
        owner: who reads them, for the sentence.

    Raises:
        ValueError: the first symbol that does not.
    """
    wrong = (symbols < 0) | (symbols >= count)
    if not torch.compiler.is_compiling() and bool(wrong.any()):
        place = tuple(torch.nonzero(wrong)[0].tolist())
        raise ValueError(
            f"the symbol at (row, step) {place} is {int(symbols[place])}, but {owner} knows the symbols 0..{count - 1}; "
            "use the vocabulary that the network was built for"
        )
    return symbols


def one_hot(
    symbols: Int[Tensor, "batch time"], count: int, dtype: torch.dtype | None = None
) -> Float[Tensor, "batch time count"]:
    """Return for each symbol the vector that is 1 at its place and 0 elsewhere."""
    return functional.one_hot(symbols, count).to(dtype or torch.get_default_dtype())
