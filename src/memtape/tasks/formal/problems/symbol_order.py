"""Symbol order: problems that reverse, repeat, sort or stack the symbols of a string."""

import torch

from memtape.tasks.formal.problems.problem import END, Examples, Problem, below, bits

POP = 2
"""The action that removes the top of the stack; the next two push a 0 and a 1."""

HIDDEN, FILL = 2, 3
"""The symbols of the hidden bit and of the padding of Missing Duplicate."""

BUCKETS = 5


def stack_manipulation(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw a stack of bits, bottom first, and then actions on it; the answer is the final stack, top first.

    The size of the initial stack is uniform in 1 to length - 1. Actions are uniform: pop, push 0, push 1; a pop of an empty
    stack does nothing. A length of 1 has one bit and no action. The answer ends with the terminator and is padded with zeros.
    """
    sizes = 1 + below(torch.full((rows,), max(length - 1, 1)), generator)
    actions = torch.randint(POP, POP + 3, (rows, length), generator=generator)
    initial = torch.arange(length) < sizes[:, None]
    inputs = torch.where(initial, bits(rows, length, generator), actions)
    pushes, pops = inputs != POP, inputs == POP
    pushed = torch.where(initial, inputs, inputs - POP - 1)
    stack, depth = torch.zeros(rows, length + 1, dtype=torch.long), torch.zeros(rows, dtype=torch.long)
    every = torch.arange(rows)
    for step in range(length):
        stack[every, depth] = torch.where(pushes[:, step], pushed[:, step], stack[every, depth])
        depth = (depth + pushes[:, step].long() - pops[:, step].long()).clamp(min=0)
    place = torch.arange(length + 1)
    answer = stack.gather(1, (depth[:, None] - 1 - place).clamp(min=0))
    answer = torch.where(place < depth[:, None], answer, 0)
    return inputs, answer.scatter(1, depth[:, None], 2)


def reverse_string(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw bits; the answer is the string in reverse."""
    strings = bits(rows, length, generator)
    return strings, strings.flip(1)


def duplicate_string(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw bits; the answer is the string twice."""
    strings = bits(rows, length, generator)
    return strings, strings.repeat(1, 2)


def missing_duplicate(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw a string of half the length, repeat it, and hide one bit at a uniform position; the answer is this bit.

    An odd length has one further symbol at the end. A length of 1 has the input 1 and the answer 1, as in the authors' code.
    """
    if length == 1:
        return torch.ones(rows, 1, dtype=torch.long), torch.ones(rows, 1, dtype=torch.long)
    twice = bits(rows, length // 2, generator).repeat(1, 2)
    hidden = torch.randint(0, twice.shape[1], (rows, 1), generator=generator)
    fill = torch.full((rows, length % 2), FILL)
    return torch.cat([twice.scatter(1, hidden, HIDDEN), fill], 1), twice.gather(1, hidden)


def odds_first(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw bits; the answer is the first, third, ... bit and then the second, fourth, ... bit, as in the paper."""
    strings = bits(rows, length, generator)
    return strings, torch.cat([strings[:, ::2], strings[:, 1::2]], 1)


def bucket_sort(rows: int, length: int, generator: torch.Generator) -> Examples:
    """Draw symbols of five; the answer is the string, sorted."""
    strings = torch.randint(0, BUCKETS, (rows, length), generator=generator)
    return strings, strings.sort(1).values


BITS = ("0", "1")
SYMBOL_ORDER = {
    "stack-manipulation": Problem(
        symbols=(*BITS, "pop", "push0", "push1"), classes=(*BITS, END), sample=stack_manipulation
    ),
    "reverse-string": Problem(symbols=BITS, classes=BITS, sample=reverse_string),
    "duplicate-string": Problem(symbols=BITS, classes=BITS, sample=duplicate_string),
    "missing-duplicate": Problem(symbols=(*BITS, "?", "_"), classes=BITS, sample=missing_duplicate),
    "odds-first": Problem(symbols=BITS, classes=BITS, sample=odds_first),
    "bucket-sort": Problem(
        symbols=("0", "1", "2", "3", "4"), classes=("0", "1", "2", "3", "4"), sample=bucket_sort, chance=0.2
    ),
}
"""Problems by name."""
