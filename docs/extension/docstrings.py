"""Docstrings as reStructuredText: equations between dollar signs, code in backquotes, and links to papers."""

import inspect
import re
import sys
from functools import cache
from typing import Any

from sphinx.application import Sphinx

from memtape.catalog.references import Reference, references

BLOCK = re.compile(r"^(?P<indent>[ ]*)\$\$(?P<equation>.*?)\$\$(?P<after>[.,;:]?)[ ]*$", re.MULTILINE | re.DOTALL)
IN_LINE = re.compile(r"``?(?P<code>[^`]+)``?|\$(?P<equation>[^$]+)\$")
EXAMPLE = re.compile(r"(^[ ]*>>>.*?(?=\n[ ]*\n|\Z))", re.MULTILINE | re.DOTALL)
CITATIONS = re.compile(r"^References:\n(?P<body>(?:[ ]+.*\n|\n)*)", re.MULTILINE)
TITLE = re.compile(r'"(?P<title>[^"]{8,}?),?"')
SOURCE = re.compile(r"arguments\s+are\s+those\s+of\s+`(?:\w+\.)*(?P<name>\w+)`")
PLACE = re.compile(r"arXiv:(?P<arxiv>\d{4}\.\d{4,5})|doi:(?P<doi>10\.[^\s;,)]*[^\s;,).])")


def as_rst(docstring: str) -> str:
    """Return a docstring, without indentation, as reStructuredText; its examples stay as they are."""
    parts = EXAMPLE.split(BLOCK.sub(_block, docstring))
    text = "".join(part if part.lstrip().startswith(">>>") else _in_line(part) for part in parts)
    return CITATIONS.sub(lambda section: f"References:\n{with_links(section['body'])}", text)


def with_arguments(docstring: str, subject: Any) -> str:
    """Return the docstring of a class with the arguments, errors and papers of the class or function that it refers to."""
    found = SOURCE.search(docstring)
    if found is None or not inspect.isclass(subject):
        return docstring
    described = getattr(sys.modules[subject.__module__], found["name"])
    source = with_arguments(inspect.getdoc(described) or "", described)
    own, example, rest = docstring.partition("\nExample:\n")
    own, _, _ = own.partition("\nReferences:\n")
    return f"{own}\n{source[source.index('Args:') :]}\n{example}{rest}"


def with_links(citations: str) -> str:
    """Return citations with links, from titles to the references of the site, from arXiv numbers and DOIs to papers."""

    def entry(found: re.Match[str]) -> str:
        paper = _by_title().get(_key(found["title"]))
        return found[0] if paper is None else f":ref:`{' '.join(found['title'].split())} <{paper.key}>`"

    def paper(found: re.Match[str]) -> str:
        page = f"arxiv.org/abs/{found['arxiv']}" if found["arxiv"] else f"doi.org/{found['doi']}"
        return f"`{found[0]} <https://{page}>`__"

    return PLACE.sub(paper, TITLE.sub(entry, citations))


@cache
def _by_title() -> dict[str, Reference]:
    return {_key(paper.fields["title"]): paper for paper in references().values()}


def _key(title: str) -> str:
    """Return a title in small letters without signs, which differ between citations."""
    return re.sub(r"[^a-z0-9]+", " ", title.lower().replace("{", "").replace("}", "")).strip()


def _block(found: re.Match[str]) -> str:
    return f"\n{found['indent']}.. math:: {' '.join(found['equation'].split())}{found['after']}\n"


def _in_line(text: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        left = "" if not before or before in " \n([{\"'-/:" else "\\ "
        right = "" if not after or after in " \n)]}\"'-/:.,;!?" else "\\ "
        words = " ".join((found["equation"] or found["code"]).split())
        return f"{left}:math:`{words}`{right}" if found["equation"] else f"{left}``{words}``{right}"

    return IN_LINE.sub(replaced, text)


def convert(app: Sphinx, *event: Any) -> None:
    """Replace the lines of a docstring; the event has the kind of the object, its name, the object, options and lines."""
    _, _, subject, _, lines = event
    lines[:] = as_rst(with_arguments("\n".join(lines) + "\n", subject)).split("\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Convert docstrings before the sections are read."""
    app.connect("autodoc-process-docstring", convert, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
