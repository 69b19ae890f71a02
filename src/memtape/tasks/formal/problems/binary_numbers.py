"""Binary numbers: problems whose answers are sums, products and square roots of integers of any size."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.formal.problems.problem import END, Examples, Problem, below, bits

OPERATOR, TERMINATOR = 2, 2
"""The symbol between two numbers, and the class that ends an answer."""

Digits = Int[Tensor, "rows digits"]


def integers(digits: Digits) -> list[int]:
    """Return the integers of little-endian binary digits."""
    packed = np.packbits(digits.numpy().astype(np.uint8), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def digits_of(numbers: Sequence[int], count: int) -> Digits:
    """Return the first `count` little-endian binary digits of integers."""
    size = -(-max(count, *(number.bit_length() for number in numbers)) // 8)
    packed = np.frombuffer(b"".join(number.to_bytes(size, "little") for number in numbers), dtype=np.uint8)
    return torch.from_numpy(np.unpackbits(packed.reshape(-1, size), axis=1, bitorder="little")[:, :count]).long()


def positive_numbers(sizes: Int[Tensor, " rows"], generator: torch.Generator) -> Digits:
    """Draw integers uniformly from 1 to 2^size - 1, as little-endian digits padded with zeros."""
    inside = torch.arange(int(sizes.max())) < sizes[:, None]
    digits = bits(len(sizes), inside.shape[1], generator) * inside
    while not digits.any(1).all():
        zero = ~digits.any(1)
        digits[zero] = bits(int(zero.sum()), inside.shape[1], generator) * inside[zero]
    return digits


def two_numbers(rows: int, length: int, generator: torch.Generator) -> tuple[Digits, list[int], list[int]]:
    """Draw two positive numbers with the operator between them, and return the inputs and the numbers.

    The size of the first is uniform in 1 to length - 2, and the second fills the rest. Digits are little-endian.
    """
    sizes = 1 + below(torch.full((rows,), length - 2), generator)
    first, second = positive_numbers(sizes, generator), positive_numbers(length - 1 - sizes, generator)
    inputs = torch.full((rows, length), OPERATOR)
    place, after = torch.arange(length), torch.arange(length) - sizes[:, None] - 1
    inputs = torch.where(
        place < sizes[:, None], first.gather(1, place.clamp(max=first.shape[1] - 1)[None].expand(rows, -1)), inputs
    )
    inputs = torch.where(after >= 0, second.gather(1, after.clamp(0, second.shape[1] - 1)), inputs)
    return inputs, integers(first), integers(second)


def terminated(numbers: Sequence[int], count: int) -> Digits:
    """Return the digits of each number without leading zeros, the terminator, and zeros up to `count` steps."""
    ends = torch.tensor([[max(number.bit_length(), 1)] for number in numbers])
    return digits_of(numbers, count).scatter(1, ends, TERMINATOR)


def single_number(rows: int, length: int, generator: torch.Generator) -> tuple[Digits, list[int]]:
    """Draw a number of one or two digits uniformly from 0 to 2^length - 2: too short for two numbers."""
    numbers = torch.randint(0, 2**length - 1, (rows,), generator=generator).tolist()
    return digits_of(numbers, length), numbers


def binary_addition(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw two numbers in length - 1 little-endian digits; the answer is their sum and a terminator.

    Lengths 1 and 2 have one number, which is the answer, as in the authors' code.
    """
    if length <= 2:
        inputs, numbers = single_number(rows, length, generator)
        return inputs, terminated(numbers, length + 1)
    inputs, first, second = two_numbers(rows, length, generator)
    return inputs, terminated([n + m for n, m in zip(first, second, strict=True)], length + 1)


def binary_multiplication(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw two numbers in length - 1 little-endian digits; the answer is their product and a terminator.

    Lengths 1 and 2 have one number; the answer is the terminator, after a 0 for length 2, as in the authors' code.
    """
    if length <= 2:
        inputs, _ = single_number(rows, length, generator)
        return inputs, torch.tensor([[0] * (length - 1) + [TERMINATOR]]).repeat(rows, 1)
    inputs, first, second = two_numbers(rows, length, generator)
    return inputs, terminated([n * m for n, m in zip(first, second, strict=True)], length)


def compute_sqrt(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw a positive number in big-endian digits; the answer is the integer part of its square root, of half as many."""
    digits = positive_numbers(torch.full((rows,), length), generator)
    roots = [math.isqrt(number) for number in integers(digits)]
    return digits.flip(1), digits_of(roots, (length + 1) // 2).flip(1)


BINARY_NUMBERS = {
    "binary-addition": Problem(symbols=("0", "1", "+"), classes=("0", "1", END), sample=binary_addition),
    "binary-multiplication": Problem(symbols=("0", "1", "*"), classes=("0", "1", END), sample=binary_multiplication),
    "compute-sqrt": Problem(symbols=("0", "1"), classes=("0", "1"), sample=compute_sqrt),
}
"""Problems by name."""
