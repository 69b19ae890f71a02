"""Bracketed arithmetic: expressions modulo 5 with brackets, and equations with one unknown digit."""

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.formal.problems.problem import Examples, Problem, below
from memtape.tasks.formal.problems.regular import DIGITS, MINUS, MODULUS, PLUS, TIMES

LONGEST_LEAF = 4
"""Length of (-d), the longest expression without two operands."""

Symbols = Int[Tensor, "rows time"]
Values = Int[Tensor, " spans"]


def expressions(
    rows: int, length: int, operators: int, brackets: tuple[int, int], generator: torch.Generator
) -> tuple[Symbols, Values]:
    """Draw expressions of one length, and return them with their values modulo 5.

    A span of 1 to 4 symbols is d, -d, (d) or (-d) with a uniform digit d. A longer one is two operands and an operator
    between brackets; the length of the left operand is uniform. All spans of one depth are drawn at once.

    Args:
        rows: number of expressions.
        length: their length, at least 1.
        operators: 3 for +, - and *, or 2 for + and -.
        brackets: the symbols of the opening and of the closing bracket.
        generator: the random generator.
    """
    opening, closing = brackets
    text = torch.empty(rows, length, dtype=torch.long)
    row, start, size = torch.arange(rows), torch.zeros(rows, dtype=torch.long), torch.full((rows,), length)
    levels = []
    while len(row):
        digit = torch.randint(0, MODULUS, row.shape, generator=generator)
        leaf = size <= LONGEST_LEAF
        negative = leaf & (size % 2 == 0)
        bracketed = size > 2
        text[row[leaf], (start + negative + bracketed)[leaf]] = digit[leaf]
        text[row[negative], (start + bracketed)[negative]] = MINUS
        text[row[bracketed], start[bracketed]] = opening
        text[row[bracketed], (start + size - 1)[bracketed]] = closing
        row, start, size = row[~leaf], start[~leaf], size[~leaf]
        left = 1 + below(size - LONGEST_LEAF, generator)
        operator = torch.randint(PLUS, PLUS + operators, row.shape, generator=generator)
        text[row, start + 1 + left] = operator
        levels.append((leaf, torch.where(negative, -digit, digit), operator))
        row, start = torch.cat([row, row]), torch.cat([start + 1, start + 2 + left])
        size = torch.cat([left, size - 3 - left])
    return text, _values(levels)


def _values(levels: list[tuple[Tensor, Tensor, Tensor]]) -> Values:
    """Return the values of the spans of the first level: leaves, or operators of two values of the next level."""
    values = torch.empty(0, dtype=torch.long)
    for leaf, leaves, operator in reversed(levels):
        left, right = values.chunk(2) if len(values) else (values, values)
        result = torch.where(operator == TIMES, left * right, left + torch.where(operator == MINUS, -right, right))
        values = leaves.clone()
        values[~leaf] = result
        values %= MODULUS
    return values


def modular_arithmetic_brackets(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw expressions with brackets and the operators +, - and *; the answer is the value modulo 5."""
    text, values = expressions(rows, length, 3, (TIMES + 1, TIMES + 2), generator)
    return text, values[:, None]


def solve_equation(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw an expression of + and -, replace one digit by x, and append = and the value; the answer is the digit.

    The digit is the first one at or, cyclically, after a uniform position. Lengths below 3 have no equation: inputs and answers
    are then 0, as in the authors' code.
    """
    if length < 3:
        return torch.zeros(rows, length, dtype=torch.long), torch.zeros(rows, 1, dtype=torch.long)
    size = length - 2
    text, values = expressions(rows, size, 2, (MINUS + 1, MINUS + 2), generator)
    position = torch.randint(0, size, (rows, 1), generator=generator)
    distance = (torch.arange(size) - position) % size
    chosen = torch.where(text < MODULUS, distance, size).argmin(1, keepdim=True)
    answer = text.gather(1, chosen)
    unknown, equals = MINUS + 3, torch.full((rows, 1), MINUS + 4)
    return torch.cat([text.scatter(1, chosen, unknown), equals, values[:, None]], 1), answer


BRACKETED_ARITHMETIC = {
    "modular-arithmetic-brackets": Problem(
        symbols=(*DIGITS, "+", "-", "*", "(", ")", "x"),
        classes=DIGITS,
        sample=modular_arithmetic_brackets,
        chance=0.2,
    ),
    "solve-equation": Problem(
        symbols=(*DIGITS, "+", "-", "(", ")", "x", "="), classes=DIGITS, sample=solve_equation, chance=0.2
    ),
}
"""Problems by name; the x of expressions never occurs, but belongs to the published input size."""
