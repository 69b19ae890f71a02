"""Permutation groups: elements and multiplication tables of small groups, from generators in cycles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import torch
from jaxtyping import Int
from torch import Tensor

Permutation = tuple[int, ...]
Cycles = Sequence[Sequence[int]]

GENERATORS: dict[str, tuple[Cycles, Cycles]] = {
    "Z2": ([], [(0, 1)]),
    "Z60": ([], [(0, 1, 2), (3, 4, 5, 6), (7, 8, 9, 10, 11)]),
    "S3": ([(0, 1)], [(0, 1, 2)]),
    "A5": ([(0, 1, 2)], [(0, 1, 2, 3, 4)]),
    "A4xZ5": ([(0, 1), (2, 3)], [(0, 1, 2), (4, 5, 6, 7, 8)]),
    "S5": ([(0, 1)], [(0, 1, 2, 3, 4)]),
}
"""Two generators of each group; for cyclic groups the identity and a generator."""


@dataclass(frozen=True)
class Group:
    """A finite group of permutations.

    Attributes:
        elements: the permutations, the identity first; an element maps place i to its i-th entry.
        generators: the numbers of the two generators.
        products: the number of the product of each element with each other, in this order: the first one acts last.
    """

    elements: tuple[Permutation, ...]
    generators: tuple[int, int]
    products: Int[Tensor, "elements elements"]


def permutation(cycles: Cycles, points: int) -> Permutation:
    """Return a permutation of the given number of points, each mapped to the next one of its cycle."""
    image = list(range(points))
    for cycle in cycles:
        for place, following in pairwise([*cycle, cycle[0]]):
            image[place] = following
    return tuple(image)


def product(first: Permutation, second: Permutation) -> Permutation:
    """Return the permutation that maps by the second and then by the first."""
    return tuple(first[place] for place in second)


@cache
def group_of(name: str) -> Group:
    """Return a group by name, with its elements in the order in which products of generators reach them."""
    cycles = GENERATORS[name]
    points = 1 + max(place for each in cycles for cycle in each for place in cycle)
    generators = [permutation(each, points) for each in cycles]
    elements = {tuple(range(points)): 0}
    waiting = list(elements)
    for element in waiting:
        for generator in generators:
            reached = product(generator, element)
            if reached not in elements:
                elements[reached] = len(elements)
                waiting.append(reached)
    table = torch.tensor([[elements[product(one, other)] for other in elements] for one in elements])
    return Group(tuple(elements), (elements[generators[0]], elements[generators[1]]), table)
