"""Ages of sentences, with and without gaps."""

import math

import torch

from memtape.ops.story_age import ages, ages_with_gaps


def present(*counts, size):
    return torch.arange(size) < torch.tensor(counts)[:, None]


def test_the_last_sentence_has_age_0():
    assert ages(present(3, 1, 0, size=4)).tolist() == [[2, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_gaps_keep_the_order_and_are_at_most_the_share():
    torch.manual_seed(0)
    found = ages_with_gaps(present(*[20] * 4000, size=20), 0.1, 50)
    assert bool((found[:, :-1] > found[:, 1:]).all())
    assert int(found.min()) == 0
    assert int(found.max()) == 20 + math.ceil(0.1 * 20) - 1


def test_the_number_of_gaps_and_their_places_are_uniform():
    torch.manual_seed(0)
    found = ages_with_gaps(present(*[2] * 30_000, size=2), 0.5, 50)  # 0 or 1 gap among 3 places
    pairs = [(1, 0), (2, 1), (2, 0)]
    counts = [int(((found[:, 0] == a) & (found[:, 1] == b)).sum()) for a, b in pairs]
    assert sum(counts) == 30_000
    for count, expected in zip(counts, (0.5 + 0.5 / 3, 0.5 / 3, 0.5 / 3), strict=True):
        assert abs(count / 30_000 - expected) < 0.015


def test_without_a_share_there_are_no_gaps():
    given = present(6, 2, 0, size=6)
    assert torch.equal(ages_with_gaps(given, 0.0, 6), ages(given))


def test_ages_stay_below_the_limit_and_rows_of_other_lengths_do_not_interfere():
    torch.manual_seed(0)
    found = ages_with_gaps(present(6, 2, 0, size=6).repeat(500, 1), 1.0, 5)
    assert int(found.max()) == 4
    two = found[1::3, :2]
    assert bool((two[:, 0] >= two[:, 1]).all())
    assert int(two.max()) == 3


def test_a_story_without_sentences_has_no_ages():
    assert ages_with_gaps(torch.zeros(2, 0, dtype=torch.bool), 0.1, 5).shape == (2, 0)
    assert ages_with_gaps(torch.zeros(0, 3, dtype=torch.bool), 0.1, 5).shape == (0, 3)
