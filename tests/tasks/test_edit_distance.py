"""Edit distance: examples, bounds, and the recursive definition."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtape.tasks.edit_distance import edit_distance


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("", "", 0), ("abc", "abc", 0), ("abcd", "bcda", 2)],
)
def test_examples(first, second, expected):
    assert edit_distance(list(map(ord, first)), list(map(ord, second))) == expected


@given(st.lists(st.integers(0, 2), max_size=6), st.lists(st.integers(0, 2), max_size=6))
def test_it_is_the_recursive_definition(first, second):
    @cache
    def distance(i, j):
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])
        )

    assert edit_distance(first, second) == edit_distance(second, first) == distance(len(first), len(second))
