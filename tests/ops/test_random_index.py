"""Random index: integers by independent arithmetic, their range, and their distribution."""

import pytest
import torch

from memtape.ops import random_index


def by_hand(counter, size):
    bits = (counter + 0x9E3779B9) % 2**32
    for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97)):
        bits = (bits ^ bits // 2**shift) * factor % 2**32
    return (bits ^ bits // 2**15) * size // 2**32


@pytest.mark.parametrize("size", [1, 3, 128, 2**31])
def test_indices_are_those_of_unlimited_integers(size):
    counters = [0, 1, 2, 1000, 2**24 - 1, 2**32 - 1, 2**32, 2**40 + 5]
    assert random_index(torch.tensor(counters), size).tolist() == [by_hand(counter, size) for counter in counters]


def test_an_index_depends_on_its_counter_alone():
    counters = torch.randint(2**24, (5, 7))
    together = random_index(counters, 11)
    alone = [[random_index(counter, 11).item() for counter in row] for row in counters]
    assert together.tolist() == alone


def test_indices_and_pairs_of_neighbours_are_uniform():
    size, count = 8, 64_000
    drawn = random_index(torch.arange(count + 1), size)
    for found, cells in ((drawn[:-1], size), (drawn[:-1] * size + drawn[1:], size**2)):
        shares = found.bincount(minlength=cells) / count
        deviation = (1 / cells * (1 - 1 / cells) / count) ** 0.5
        assert len(shares) == cells
        assert (shares - 1 / cells).abs().max() < 4.5 * deviation
