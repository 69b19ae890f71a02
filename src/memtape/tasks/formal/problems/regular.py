"""Regular problems of the Chomsky suite: a finite automaton solves them."""

import torch

from memtape.tasks.formal.problems.problem import Examples, Problem, bits

MODULUS = 5
DIGITS = ("0", "1", "2", "3", "4")
PLUS, MINUS, TIMES = MODULUS, MODULUS + 1, MODULUS + 2


def even_pairs(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw bits; the answer is the parity of the number of unequal neighbours: whether the first and last bit differ."""
    strings = bits(rows, length, generator)
    return strings, (strings[:, :1] != strings[:, -1:]).long()


def parity_check(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw bits; the answer is the number of ones modulo 2."""
    strings = bits(rows, length, generator)
    return strings, strings.sum(1, keepdim=True) % 2


def cycle_navigation(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw moves 0, 1, 2 for stay, +1 and -1; the answer is the position on a cycle of five places, from place 0."""
    moves = torch.randint(0, 3, (rows, length), generator=generator)
    return moves, ((moves == 1).long() - (moves == 2).long()).sum(1, keepdim=True) % MODULUS


def modular_arithmetic(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw digits with +, - and * between them; the answer is the value modulo 5, products first.

    An input has an odd number of symbols; an even length gives one symbol less, as in the authors' code.
    """
    length -= 1 - length % 2
    numbers = torch.randint(0, MODULUS, (rows, (length + 1) // 2), generator=generator)
    operators = torch.randint(PLUS, TIMES + 1, (rows, length // 2), generator=generator)
    inputs = torch.empty(rows, length, dtype=torch.long)
    inputs[:, ::2], inputs[:, 1::2] = numbers, operators
    total, term = torch.zeros(rows, dtype=torch.long), numbers[:, 0]
    for operator, number in zip(operators.unbind(1), numbers[:, 1:].unbind(1), strict=True):
        total = torch.where(operator == TIMES, total, total + term)
        signed = torch.where(operator == MINUS, -number, number)
        term = torch.where(operator == TIMES, term * number, signed) % MODULUS
    return inputs, ((total + term) % MODULUS)[:, None]


REGULAR = {
    "even-pairs": Problem(symbols=("0", "1"), classes=("0", "1"), sample=even_pairs),
    "modular-arithmetic": Problem(
        symbols=(*DIGITS, "+", "-", "*", "_"), classes=DIGITS, sample=modular_arithmetic, chance=0.2
    ),
    "parity-check": Problem(symbols=("0", "1"), classes=("0", "1"), sample=parity_check),
    "cycle-navigation": Problem(symbols=("0", "1", "2"), classes=DIGITS, sample=cycle_navigation, chance=0.2),
}
"""Problems by name; the blank of modular arithmetic never occurs, but belongs to the published input size."""
