"""Table: print mappings as rows of a text table."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from memtape.cli.terminal import visible

NOTHING = "\N{EN DASH}"
WIDE = 200
"""Characters of a line if the output is not a terminal."""


def print_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    formats: Mapping[str, str] | None = None,
    folded: Collection[str] | None = None,
    header: bool = True,
) -> None:
    """Print mappings as rows under their names, with numbers aligned to the right.

    A missing value is shown as a dash. A name that some rows lack has the position that it has in the first row with
    it.

    Args:
        rows: the rows, at least one.
        formats: format specifications of numbers by name, such as ".0%"; other values are written by `cell`.
        folded: names of the columns that are folded where the line is too narrow; None means the first column.
        header: whether to print the names above the rows.
    """
    formats = formats or {}
    names = _merged([list(row) for row in rows])
    folded = names[:1] if folded is None else folded
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=header)
    for name in names:
        numbers = all(isinstance(row.get(name), (int, float, type(None))) for row in rows)
        table.add_column(
            _literal(name), justify="right" if numbers else "left", overflow="fold", no_wrap=name not in folded
        )
    for row in rows:
        table.add_row(*(_literal(cell(row.get(name), formats.get(name))) for name in names))
    console = Console()
    (console if console.is_terminal else Console(width=WIDE)).print(table)


def _merged(lists: Sequence[Sequence[str]]) -> list[str]:
    """Merge lists of names; each name follows the name that it follows in its first list."""
    merged: list[str] = []
    for names in lists:
        place = 0
        for name in names:
            if name not in merged:
                merged.insert(place, name)
            place = merged.index(name) + 1
    return merged


def _literal(text: str) -> Text:
    """Return a text in which rich reads no markup."""
    return Text(visible(text))


def cell(value: Any, form: str | None = None) -> str:
    """Return the text of a value in a table.

    Args:
        value: the value; None is a dash.
        form: format specification; None means four digits of a float, and all digits before the point.
    """
    if value is None:
        return NOTHING
    if form is not None:
        return format(value, form)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.4g}"
    return str(value)


def spaced(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with spaces instead of underscores in its names."""
    return {name.replace("_", " "): value for name, value in values.items()}
