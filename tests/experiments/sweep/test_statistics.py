"""Summary: intervals and quartiles against independently computed numbers."""

import pytest

from memtape.experiments.sweep.statistics import quartiles, wilson_interval


@pytest.mark.parametrize(
    ("solved", "trained", "low", "high"),
    [
        (7, 10, 0.3968, 0.8922),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_is_that_of_wilson(solved, trained, low, high):
    assert wilson_interval(solved, trained) == pytest.approx((low, high), abs=5e-5)


def test_the_ends_of_the_interval_solve_the_equation_that_defines_them():
    for end in wilson_interval(3, 8):
        assert abs(3 / 8 - end) == pytest.approx(1.959964 * (end * (1 - end) / 8) ** 0.5, rel=1e-6)


def test_quartiles_lie_between_values():
    assert quartiles([5.0, 1.0, 3.0, 2.0, 4.0]) == {"low": 2, "median": 3, "high": 4}
    assert quartiles([1.0, 2.0]) == {"low": 1.25, "median": 1.5, "high": 1.75}


def test_one_value_is_its_own_quartiles_and_none_has_none():
    assert quartiles([7.0]) == {"low": 7, "median": 7, "high": 7}
    assert quartiles([]) is None
