"""Table: the printed form of values and rows."""

import pytest

from memtape.cli.table import cell, print_table, spaced


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, "\N{EN DASH}"), (True, "yes"), (False, "no"), (25_000, "25000"), ("a", "a"), (0.0, "0")),
        *((1234.56, "1235"), (0.123456, "0.1235"), (12.0, "12"), (2.5e-7, "2.5e-07"), (1e38, "1e+38")),
    ],
)
def test_values_are_printed_in_a_short_form(value, text):
    assert cell(value) == text


def test_numbers_are_aligned_right_and_words_left(capsys):
    print_table([{"name": "a", "steps": 1}, {"name": "long", "steps": 1000}])
    assert capsys.readouterr().out.splitlines() == ["name  steps", "a         1", "long   1000"]


def test_missing_values_of_a_row_are_dashes_in_their_columns(capsys):
    print_table([{"name": "a", "bits": 1, "seconds": 2}, {"name": "b", "accuracy": 0.5, "seconds": 3}])
    head, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head == ["name", "accuracy", "bits", "seconds"]
    assert rows == [["a", "\N{EN DASH}", "1", "2"], ["b", "0.5", "\N{EN DASH}", "3"]]


def test_underscores_in_names_become_spaces():
    assert spaced({"cost_bits": 1}) == {"cost bits": 1}
