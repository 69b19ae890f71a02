"""Plain type: the values that are valid for the type of an option."""

from typing import Literal

import pytest

from memtape.core.plain_type import is_of

KIND = Literal["a", "b"]
SIZE = Literal[1, 10]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, 3),
        (float, 3),
        (float, 0.5),
        (bool, True),
        (str, "x"),
        (KIND, "b"),
        (SIZE, 10),
        (float | None, None),
        (int | None, 2),
    ],
)
def test_valid_values(kind, value):
    assert is_of(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[(int, True), (int, 3.0), (float, True), (float, float("nan")), (float, float("inf")), (float, "1")],
        *[
            (bool, 1),
            (str, 1),
            (KIND, "c"),
            (KIND, 1),
            (SIZE, 2),
            (SIZE, True),
            (SIZE, 10.0),
            (int, None),
            (int | None, "2"),
        ],
    ],
)
def test_invalid_values(kind, value):
    assert not is_of(kind, value)


def test_a_number_above_the_largest_float_is_a_number():
    assert is_of(float, 10**400)
