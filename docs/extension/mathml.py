"""Equations as MathML, which browsers draw without a script, a font or a network."""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.writers.html5 import HTML5Translator

GAP = re.compile(r"\\qquad|\\begin\{|\\end\{|\\.|[{}]", re.DOTALL)

DEEPER = {"{": 1, "}": -1, r"\begin{": 2, r"\end{": 0}
"""How much deeper the text after a sign is nested: the brace of `\\begin{` closes again, its environment does not."""


def mathml(equation: str, *, as_block: bool) -> str:
    r"""Return an equation of TeX as MathML.

    It is drawn without `\textstyle`, which docutils does not know in the middle of an equation.

    Args:
        equation: the equation, without dollar signs.
        as_block: whether it has its own line.

    Raises:
        SphinxError: the equation has a command that is not known.
    """
    try:
        return tex2mathml(equation.replace(r"\dots", r"\ldots").replace(r"\textstyle", ""), as_block=as_block)
    except (MathError, SyntaxError) as error:
        raise SphinxError(f"the equation {equation!r} cannot be drawn ({error}); write it in plainer TeX") from error


def pieces(equation: str) -> Iterator[str]:
    r"""Yield the equations that `\qquad` separates, so that a narrow page can have them below one another."""
    depth, begin = 0, 0
    for found in GAP.finditer(equation):
        if found[0] == r"\qquad" and depth == 0:
            yield equation[begin : found.start()].strip()
            begin = found.end()
        depth += DEEPER.get(found[0], 0)
    yield equation[begin:].strip()


def draw_in_line(writer: HTML5Translator, node: nodes.math) -> None:
    """Write an equation within a sentence."""
    writer.body.append(mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def draw_as_block(writer: HTML5Translator, node: nodes.math_block) -> None:
    """Write an equation on its own line."""
    drawn = "\n".join(mathml(piece, as_block=True) for piece in pieces(node.astext()))
    writer.body.append(f'<div class="equation">\n{drawn}\n</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (draw_in_line, None), (draw_as_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
