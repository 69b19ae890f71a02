"""Docstrings as reStructuredText: equations between dollar signs, code in backquotes, and links to papers."""

import re
from functools import cache
from typing import Any

from sphinx.application import Sphinx

from memtape.catalog.references import Reference, references

BLOCK = re.compile(r"^(?P<indent>[ ]*)\$\$(?P<equation>.*?)\$\$(?P<after>[.,;:]?)[ ]*$", re.MULTILINE | re.DOTALL)
IN_LINE = re.compile(r"``?(?P<code>[^`]+)``?|\$(?P<equation>[^$]+)\$")
EXAMPLE = re.compile(r"(^[ ]*>>>.*?(?=\n[ ]*\n|\Z))", re.MULTILINE | re.DOTALL)
CITATIONS = re.compile(r"^References:\n(?P<body>(?:[ ]+.*\n|\n)*)", re.MULTILINE)
TITLE = re.compile(r'"(?P<title>[^"]{8,}?),?"')


def as_rst(docstring: str) -> str:
    """Return a docstring, without indentation, as reStructuredText; its examples stay as they are."""
    parts = EXAMPLE.split(BLOCK.sub(_block, docstring))
    text = "".join(part if part.lstrip().startswith(">>>") else _in_line(part) for part in parts)
    return CITATIONS.sub(lambda section: f"References:\n{with_links(section['body'])}", text)


def with_links(citations: str) -> str:
    """Return citations whose titles are links to the papers, where the bibliography has them."""

    def link(found: re.Match[str]) -> str:
        paper, title = _by_title().get(_key(found["title"])), " ".join(found["title"].split())
        if paper is None:
            return found[0]
        return f"`{title} <{paper.url}>`__" if paper.url else f":ref:`{title} <{paper.key}>`"

    return TITLE.sub(link, citations)


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
    """Replace the lines of a docstring, the last argument of the event."""
    lines: list[str] = event[-1]
    lines[:] = as_rst("\n".join(lines) + "\n").split("\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Convert docstrings before the sections are read."""
    app.connect("autodoc-process-docstring", convert, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
