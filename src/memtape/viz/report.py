"""Report: one self-contained HTML page with the figures, tables and examples of a run."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from memtape.core.atomic_write import write_atomically
from memtape.core.given_path import given_path
from memtape.viz.saving import rendered

_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True, eq=False)
class Illustration:
    """A figure on the page.

    Args:
        figure: the figure.
        caption: a description of what it shows.
        alt: the same for readers who cannot view it.
    """

    figure: Figure
    caption: str
    alt: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table on the page; columns of numbers are aligned to the right.

    Args:
        caption: a description of the table.
        columns: the column heads.
        rows: the cells; floats print with six digits, None as a dash.

    Raises:
        ValueError: the number of cells of a row is not the number of columns.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def __post_init__(self) -> None:
        """Raise an error for rows of different lengths."""
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {number} of the table {self.caption!r} has {len(row)} cells, but there are "
                    f"{len(self.columns)} columns; give each row one cell for each column"
                )

    @classmethod
    def of_settings(cls, caption: str, settings: Mapping[str, Any]) -> "Table":
        """Return a table of names and values.

        Args:
            caption: a description of the settings.
            settings: the values by name.
        """
        return cls(caption, ("setting", "value"), tuple(settings.items()))

    @property
    def numeric(self) -> list[bool]:
        """Whether each column contains numbers only."""
        columns = [[row[place] for row in self.rows] for place in range(len(self.columns))]
        return [bool(cells) and all(_is_number(cell) or cell is None for cell in cells) for cells in columns]


@dataclass(frozen=True)
class Example:
    """A preformatted text on the page, in a monospaced font.

    Args:
        caption: a description of the text.
        text: the text.
    """

    caption: str
    text: str


@dataclass(frozen=True, eq=False)
class Section:
    """Parts of the page under a heading.

    Args:
        heading: the heading.
        parts: illustrations, tables and examples, from top to bottom.
        text: a paragraph before them.
    """

    heading: str
    parts: Sequence[Illustration | Table | Example]
    text: str = ""


def write_report(
    path: str | Path,
    *,
    title: str,
    summary: str,
    sections: Sequence[Section],
    facts: Mapping[str, Any] | None = None,
    badge: str = "",
    footer: str = "",
) -> Path:
    """Write a report as one HTML file that loads and executes nothing, and return its path.

    The file is replaced in one step: a report that cannot be rendered leaves the old one unchanged.

    Args:
        path: the file to write; folders are created as needed.
        title: the heading of the page.
        summary: the run and its result, in a sentence or two.
        sections: the body.
        facts: the most important results by name.
        badge: a label beside the title, such as the data.
        footer: a last line, such as the version and the command that made the report.
    """
    path = given_path(path)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(cell=_cell, picture=_picture, kind=lambda part: type(part).__name__)
    template = environment.from_string(resources.files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8"))
    page = template.render(
        title=title, summary=summary, badge=badge, sections=sections, facts=dict(facts or {}), footer=footer
    )
    write_atomically(path, page.encode("utf-8", errors="replace"))
    return path


def _picture(figure: Figure) -> dict[str, Any]:
    width, height = figure.get_size_inches()
    image = base64.b64encode(rendered(figure, "png")).decode("ascii")
    # An inch of the figure is 120 pixels of the page: text of 8 points then has the size of the captions.
    return {"uri": f"data:image/png;base64,{image}", "width": round(width * 120), "height": round(height * 120)}


def _cell(value: Any) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
