"""Docstrings as reStructuredText: equations between dollar signs, names in backquotes, and citations."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from extension.api_pages import documented_names
from sphinx.application import Sphinx

from memtape.catalog.references import Reference, references

BLOCK = re.compile(r"^(?P<indent>[ ]*)\$\$(?P<equation>.*?)\$\$(?P<after>[.,;:]?)[ ]*$", re.MULTILINE | re.DOTALL)
IN_LINE = re.compile(r"``(?P<literal>[^`]+)``|`(?P<code>[^`]+)`|\$(?P<equation>[^$]+)\$")
TITLE = re.compile(r'"(?P<title>[^"]{8,}?),?"', re.DOTALL)
SECTION = re.compile(r"^References:\n(?P<body>(?:[ ]+.*\n|\n)*)", re.MULTILINE)
VERBATIM = re.compile(r"^[ ]*(>>>|\.\.\.[ ])")


def as_rst(docstring: str, names: Mapping[str, str]) -> str:
    """Return a docstring as reStructuredText.

    Args:
        docstring: the docstring, without indentation.
        names: the full name of every object with an entry in the reference, by each name that it is called.
    """
    cited = SECTION.sub(lambda section: f"References:\n{with_links(section['body'])}", docstring)
    parts = re.split(r"(^[ ]*>>>.*?(?=\n[ ]*\n|\Z))", BLOCK.sub(_block, cited), flags=re.MULTILINE | re.DOTALL)
    return "".join(part if VERBATIM.match(part) else _in_line(part, names) for part in parts)


def with_links(citations: str) -> str:
    """Return citations whose titles are links to the papers, where the bibliography has them."""

    def link(found: re.Match[str]) -> str:
        paper = by_title().get(_key(found["title"]))
        title = " ".join(found["title"].split())
        return found[0] if paper is None else f":ref:`{title} <{paper.key}>`"

    return TITLE.sub(link, citations)


@cache
def by_title() -> dict[str, Reference]:
    """Return the papers of the bibliography by their titles, in small letters without signs."""
    return {_key(paper.fields["title"]): paper for paper in references().values()}


def _key(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", title.lower()).strip()


def _block(found: re.Match[str]) -> str:
    indent, equation = found["indent"], " ".join(found["equation"].split())
    return f"\n{indent}.. math:: {equation}\n"


def _in_line(text: str, names: Mapping[str, str]) -> str:
    def replaced(found: re.Match[str]) -> str:
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        left = "" if not before or before in " \n([{\"'-/:" else "\\ "
        right = "" if not after or after in " \n)]}\"'-/:.,;!?" else "\\ "
        return f"{left}{_role(found, names)}{right}"

    return IN_LINE.sub(replaced, text)


def _role(found: re.Match[str], names: Mapping[str, str]) -> str:
    if found["literal"]:
        return f"``{found['literal']}``"
    if found["equation"]:
        return f":math:`{' '.join(found['equation'].split())}`"
    code = " ".join(found["code"].split())
    return f":py:obj:`{code} <{names[code]}>`" if code in names else f"``{code}``"


def convert(app: Sphinx, what: str, name: str, subject: Any, options: Any, lines: list[str]) -> None:
    """Replace the lines of a docstring."""
    lines[:] = as_rst("\n".join(lines) + "\n", documented_names()).split("\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Convert docstrings before the sections are read."""
    app.connect("autodoc-process-docstring", convert, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
