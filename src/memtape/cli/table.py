"""Table: mappings as lines of text."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

NOTHING = "\N{EN DASH}"
WIDE = 200
"""Letters of a line where there is no terminal that could be too narrow."""


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print mappings under their names, numbers to the right; a first column that is too wide is folded.

    What a mapping lacks is left open. Names that not all have stand where the first mapping that has them does.
    """
    names = _merged([list(row) for row in rows])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(names):
        numbers = all(isinstance(row.get(name), (int, float, type(None))) for row in rows)
        table.add_column(name, justify="right" if numbers else "left", overflow="fold", no_wrap=place > 0)
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in names))
    console = Console()
    (console if console.is_terminal else Console(width=WIDE)).print(table)


def _merged(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return all names of some lists, each behind the name that it follows where it first occurs."""
    merged: list[str] = []
    for names in lists:
        place = 0
        for name in names:
            if name not in merged:
                merged.insert(place, name)
            place = merged.index(name) + 1
    return merged


def cell(value: Any) -> str:
    """Return a value as a person reads it: four digits, and all those before the point."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.4g}"
    return str(value)


def spaced(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with names in which spaces stand for underscores."""
    return {name.replace("_", " "): value for name, value in values.items()}
