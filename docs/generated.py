"""Generated: the tables of models and tasks in the documents, and the public names for type checkers, from the cards.

    python docs/generated.py

writes `src/memtape/__init__.pyi`, and the tables of models and tasks in the README and in their pages of the site.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import memtape
from memtape.catalog.built_in import built_in
from memtape.catalog.entry import ModelEntry, TaskEntry
from memtape.catalog.references import references

ROOT = Path(__file__).parent.parent
STUB, README, MODELS, TASKS = "src/memtape/__init__.pyi", "README.md", "docs/models/index.md", "docs/tasks/index.md"

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
    imports = "\n".join(sorted(lines, key=lambda line: (line.split()[1], *_by_style(line.split()[3]))))
    by_style = sorted(memtape.__all__, key=lambda name: (*_by_style(name)[:2], name))
    names = "".join(f'    "{name}",\n' for name in by_style)
    return f"# Written by `python docs/generated.py`.\n\n{imports}\n\n__all__ = [\n{names}]\n"


def _by_style(name: str) -> tuple[bool, bool, str]:
    """Return what the linter sorts names by: constants, classes, the rest."""
    return not name.isupper(), not name[0].isupper(), name.lower()


def models_table() -> str:
    """Return the table of all models with their papers."""
    return _table((entry for entry in built_in() if isinstance(entry, ModelEntry)), "model")


def tasks_table() -> str:
    """Return the table of all tasks with their papers."""
    return _table((entry for entry in built_in() if isinstance(entry, TaskEntry)), "task")


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
    return {
        ROOT / STUB: stub(),
        ROOT / README: _with(README, "catalog", readme_table()),
        ROOT / MODELS: _with(MODELS, "models", models_table()),
        ROOT / TASKS: _with(TASKS, "tasks", tasks_table()),
    }


def _with(file: str, name: str, table: str) -> str:
    """Return a document with a table between its two comments."""
    first, last = (f"<!-- {name}: {word} -->" for word in ("begin", "end"))
    before, _, rest = (ROOT / file).read_text().partition(first)
    _, _, after = rest.partition(last)
    return f"{before}{first}\n{table}\n{last}{after}"


def _table(entries: Entries, kind: str) -> str:
    lines = [f"| {kind} | class | what it is | inputs | paper |", "|---|---|---|---|---|"]
    for family, members in _by_family(entries):
        lines.append(f"| **{family}** | | | | |")
        lines += [
            f"| `{entry.name}` | `{entry.class_name}` | {entry.summary} | {', '.join(entry.card.inputs)} | {_papers(entry)} |"
            for entry in members
        ]
    return "\n".join(lines)


def _papers(entry: ModelEntry | TaskEntry) -> str:
    """Return authors and year of the papers of an entry, each with a link to the paper."""
    papers = [references()[key] for key in entry.card.paper]
    return "; ".join(f"[{paper.short}]({paper.url})" if paper.url else paper.short for paper in papers)


def _by_family(entries: Entries) -> list[tuple[str, Sequence[ModelEntry | TaskEntry]]]:
    return [
        (family.replace("_", " "), list(members))
        for family, members in groupby(entries, key=lambda entry: entry.module.split(".")[2])
    ]


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
