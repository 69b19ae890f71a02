"""The pages of the API reference: one for each family of models and tasks, and for each part of the library.

They are written before Sphinx reads the sources, into `docs/api`. What they list comes from the cards and from the public
names, so a new model, task, cell or function appears without a line here.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import memtape
from memtape.catalog.built_in import built_in
from memtape.catalog.references import Reference, references

API = Path(__file__).parents[1] / "api"

PARTS = {
    "memtape.cells": "Cells and wrappers",
    "memtape.memory": "Memories and interfaces",
    "memtape.ops": "Equations",
    "memtape.ports": "Networks of other code",
    "memtape.viz.figures": "Figures",
}
"""Modules whose `__all__` lists what they offer, with the titles of their pages."""

MODULES = {"tree": "memtape.core.state_tree"}
"""Public names of modules that are described with all their functions."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the reference.

    Attributes:
        file: its name, without suffix.
        title: its title.
        names: the full names of the objects that it describes, in order.
        module: the module whose functions are described as well; None if there is none.
    """

    file: str
    title: str
    names: Sequence[str]
    module: str | None = None


@cache
def pages() -> tuple[Page, ...]:
    """Return all pages, in the order of the table of contents."""
    families = groupby(built_in(), key=lambda entry: entry.module.split(".")[1:3])
    cards = [
        (kind, family, [name for entry in entries for name in reversed(entry.classes)])
        for (kind, family), entries in families
    ]
    of_cards = {name for _, _, names in cards for name in names}
    others = [name for name in memtape.__all__ if name not in of_cards and name != "__version__"]
    core = sorted(
        (name for name in others if not isinstance(getattr(memtape, name), type(memtape))),
        key=lambda name: (not name[0].isupper(), name),
    )
    return (
        Page(file="core", title="Core", names=[f"memtape.{name}" for name in core]),
        Page(file="tree", title="State trees", names=[], module=MODULES["tree"]),
        *(
            Page(
                file=f"{kind}-{family}".replace("_", "-"),
                title=f"{kind.capitalize()}: {_title(family)}",
                names=[f"memtape.{name}" for name in names],
            )
            for kind, family, names in cards
        ),
        *(
            Page(
                file=module.removeprefix("memtape.").replace(".", "-"),
                title=title,
                names=[f"{module}.{name}" for name in importlib.import_module(module).__all__],
            )
            for module, title in PARTS.items()
        ),
    )


def _title(family: str) -> str:
    """Return a family as it is written: a short name is an abbreviation."""
    return family.upper() if len(family) <= 3 else family.replace("_", " ")


@cache
def documented_names() -> dict[str, str]:
    """Return the full name of each documented object, by its full name and by its last word.

    The last word must be unique, and no ordinary word, such as that of `memtape.ops.read`.
    """
    full = [name for page in pages() for name in page.names]
    last = [name.rpartition(".")[2] for name in full]
    unique = {word for word in last if last.count(word) == 1 and (word[0].isupper() or "_" in word)}
    return {name: name for name in full} | {word: name for word, name in zip(last, full, strict=True) if word in unique}


def text(page: Page) -> str:
    """Return the source of a page."""
    lines = [page.title, "=" * len(page.title), ""]
    if page.module is not None:
        lines += [f".. automodule:: {page.module}", "   :members:", ""]
    for name in page.names:
        before, _, last = name.rpartition(".")
        subject = getattr(importlib.import_module(before), last)
        if isinstance(subject, type):
            lines += [f".. autoclass:: {name}", *_options(subject), ""]
        else:
            lines += [f".. autofunction:: {name}", ""]
    return "\n".join(lines)


def _options(subject: type) -> list[str]:
    """Return which members of a class are described: fields without a line of their own only if the docstring has none."""
    options = ["   :members:"]
    if "Attributes:" not in (subject.__doc__ or ""):
        options.append("   :undoc-members:")
    if subject.__bases__ != (object,):
        options.append("   :show-inheritance:")
    return options


def contents() -> str:
    """Return the source of the first page of the reference."""
    files = "\n".join(f"   {page.file}" for page in pages())
    return (
        "API reference\n=============\n\n"
        "Every public class and function, from the docstrings. Names without a module are those of ``memtape``.\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{files}\n   references\n"
    )


def bibliography() -> str:
    """Return the source of the page of all papers."""
    papers = sorted(references().values(), key=str)
    entries = "\n".join(f".. _{paper.key}:\n\n{_citation(paper)}\n" for paper in papers)
    return f"References\n==========\n\nThe papers of the models and tasks; ``memtape cite NAME`` prints BibTeX.\n\n{entries}"


def _citation(paper: Reference) -> str:
    return f"**{paper.key}**\n   {paper}" + (f" `[link] <{paper.url}>`__" if paper.url else "")


def write(app: Sphinx) -> None:
    """Write each page whose text has changed, and remove others."""
    wanted = {page.file: text(page) for page in pages()} | {"index": contents(), "references": bibliography()}
    API.mkdir(exist_ok=True)
    for file in API.glob("*.rst"):
        if file.stem not in wanted:
            file.unlink()
    for name, source in wanted.items():
        file = API / f"{name}.rst"
        if not file.exists() or file.read_text(encoding="utf-8") != source:
            file.write_text(source, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before the sources are read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
