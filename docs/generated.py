"""Generated: the tables of models and tasks in the documents, and the public names for type checkers, from the cards.

    python docs/generated.py

writes `src/memtape/__init__.pyi`, `docs/catalog.md` and the table of models and tasks in the README.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import memtape
from memtape.catalog.built_in import built_in
from memtape.catalog.entry import ModelEntry, TaskEntry
from memtape.catalog.references import references

ROOT = Path(__file__).parent.parent
STUB, CATALOG, README = "src/memtape/__init__.pyi", "docs/catalog.md", "README.md"
BEGIN, END = "<!-- catalog: begin -->", "<!-- catalog: end -->"

Entries = Iterable[ModelEntry | TaskEntry]


def stub() -> str:
    """Return the public names as type checkers and editors read them."""
    lines = []
    for name, place in memtape._modules().items():
        if place == f"memtape.{name}" or name == "tree":
            before, _, last = place.rpartition(".")
            lines.append(f"from {before} import {last} as {name}")
        else:
            lines.append(f"from {place} import {name} as {name}")
    lines.append("from memtape.version import __version__ as __version__")
    imports = "\n".join(sorted(lines, key=lambda line: (line.split()[1], line.split()[3])))
    by_style = sorted(memtape.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    names = "".join(f'    "{name}",\n' for name in by_style)
    return f"# Written by `python docs/generated.py`.\n\n{imports}\n\n__all__ = [\n{names}]\n"


def catalog_page() -> str:
    """Return the page of all models and tasks with their papers."""
    models = [entry for entry in built_in() if isinstance(entry, ModelEntry)]
    tasks = [entry for entry in built_in() if isinstance(entry, TaskEntry)]
    keys = dict.fromkeys(key for entry in built_in() for key in entry.card.paper)
    papers = sorted(str(references()[key]) for key in keys)
    return "\n".join(
        [
            "# Catalog",
            "",
            "All models and tasks, from the cards in their files. `memtape models` and `memtape tasks` print the same, and",
            "`memtape cite NAME` prints BibTeX. This page is written by `python docs/generated.py`.",
            "",
            "## Models",
            "",
            *_table(models, "model"),
            "",
            "## Tasks",
            "",
            *_table(tasks, "task"),
            "",
            "## References",
            "",
            *(f"- {paper}" for paper in papers),
            "",
        ]
    )


def readme_table() -> str:
    """Return the models of each family and the tasks of each field, a line each."""
    lines = ["| | |", "|---|---|"]
    for kind, entries in (("models", ModelEntry), ("tasks", TaskEntry)):
        for family, members in _by_family(entry for entry in built_in() if isinstance(entry, entries)):
            classes = ", ".join(f"`{entry.class_name}`" for entry in members)
            lines.append(f"| {kind}: {family} | {classes} |")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """Return each generated file with what it must hold."""
    before, _, rest = (ROOT / README).read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return {
        ROOT / STUB: stub(),
        ROOT / CATALOG: catalog_page(),
        ROOT / README: f"{before}{BEGIN}\n{readme_table()}\n{END}{after}",
    }


def _table(entries: Entries, kind: str) -> list[str]:
    lines = [f"| {kind} | class | what it is | inputs | paper |", "|---|---|---|---|---|"]
    for family, members in _by_family(entries):
        lines.append(f"| **{family}** | | | | |")
        lines += [
            f"| `{entry.name}` | `{entry.class_name}` | {entry.summary} | {', '.join(entry.card.inputs)} | {entry.paper} |"
            for entry in members
        ]
    return lines


def _by_family(entries: Entries) -> list[tuple[str, Sequence[ModelEntry | TaskEntry]]]:
    return [
        (family.replace("_", " "), list(members))
        for family, members in groupby(entries, key=lambda entry: entry.module.split(".")[2])
    ]


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
