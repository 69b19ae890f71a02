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
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

import memtape
from memtape.catalog.built_in import built_in
from memtape.catalog.references import Reference, references

API = Path(__file__).parents[1] / "api"

TITLES = {
    "automata": "Automata",
    "cells": "Cells and wrappers",
    "deploy": "Deployment",
    "figures": "Figures",
    "memory": "Memories and interfaces",
    "nn": "Layers of torch.nn",
    "ops": "Equations",
    "ports": "Networks of other code",
    "tree": "State trees",
}
"""Titles of the pages of modules, by their public names; others have their name as the title."""

FIGURES = "memtape.viz.figures"
"""A module of public functions that is not a public name itself, since it imports matplotlib."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the reference.

    Attributes:
        file: its name, without suffix.
        title: its title.
        names: the full names of the objects that it describes, in order.
    """

    file: str
    title: str
    names: Sequence[str]


@cache
def pages() -> tuple[Page, ...]:
    """Return all pages, in the order of the table of contents."""
    families = groupby(built_in(), key=lambda entry: entry.module.split(".")[1:3])
    cards = [
        (kind, family, [name for entry in entries for name in reversed(entry.classes)])
        for (kind, family), entries in families
    ]
    of_cards = {name for _, _, names in cards for name in names}
    others = {
        name: getattr(memtape, name) for name in memtape.__all__ if name not in of_cards and name != "__version__"
    }
    modules = {name: value for name, value in others.items() if isinstance(value, ModuleType)}
    modules["figures"] = importlib.import_module(FIGURES)
    core = sorted(others.keys() - modules.keys(), key=lambda name: (not name[0].isupper(), name))
    return (
        Page(file="core", title="Core", names=[f"memtape.{name}" for name in core]),
        *(
            Page(
                file=f"{kind}-{family}".replace("_", "-"),
                title=f"{kind.capitalize()}: {_title(family)}",
                names=[f"memtape.{name}" for name in names],
            )
            for kind, family, names in cards
        ),
        *(
            Page(file=name, title=TITLES.get(name, name), names=[f"{module.__name__}.{one}" for one in offered(module)])
            for name, module in modules.items()
            if offered(module)
        ),
    )


def offered(module: ModuleType) -> Sequence[str]:
    """Return the names that a module offers: its `__all__`, or all functions and classes that it defines."""
    return getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == module.__name__
    ]


def _title(family: str) -> str:
    """Return a family as it is written: a short name is an abbreviation."""
    return family.upper() if len(family) <= 3 else family.replace("_", " ")


@cache
def documented_names() -> dict[str, str]:
    """Return the full name of each documented object, by its full name, its public name and its last word.

    The last word is no ordinary word, such as that of `memtape.ops.read`. Of two names, it refers to the shorter one.
    """
    public = {f"memtape.{page.file}.{name.rpartition('.')[2]}": name for page in pages() for name in page.names}
    full = sorted((name for page in pages() for name in page.names), key=lambda name: -name.count("."))
    short = {name.rpartition(".")[2]: name for name in full}
    words = {word: name for word, name in short.items() if word[0].isupper() or "_" in word}
    return words | public | {name: name for name in full}


def text(page: Page) -> str:
    """Return the source of a page."""
    lines = [page.title, "=" * len(page.title), ""]
    for name in page.names:
        before, _, last = name.rpartition(".")
        subject = getattr(importlib.import_module(before), last)
        if isinstance(subject, type):
            lines += [f".. autoclass:: {name}", *_options(subject), ""]
        else:
            lines += [f".. {'autofunction' if callable(subject) else 'autodata'}:: {name}", ""]
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
