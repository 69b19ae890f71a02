"""The extensions of the site by the letter: docstrings, equations, and links to papers."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("sphinx")


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    from extension import docstrings, mathml  # noqa: PLC0415

    yield {"docstrings": docstrings, "mathml": mathml}
    for name in [name for name in sys.modules if name.partition(".")[0] == "extension"]:
        del sys.modules[name]


def test_a_docstring_becomes_restructured_text(extension):
    docstring = (
        "Return `x`, the sum of $N$s.\n\n    $$y = a\n    + b$$.\n\nExample:\n    >>> f(`$x$`)\n    1\n\nA $z$-th.\n"
    )
    assert extension["docstrings"].as_rst(docstring) == (
        "Return ``x``, the sum of :math:`N`\\ s.\n\n\n    .. math:: y = a + b.\n\n\n"
        "Example:\n    >>> f(`$x$`)\n    1\n\nA :math:`z`-th.\n"
    )


def test_titles_and_numbers_of_papers_are_links(extension):
    with_links = extension["docstrings"].with_links
    assert with_links('Graves (2014), "Neural Turing\n    Machines", arXiv:1410.5401, section 3.') == (
        "Graves (2014), :ref:`Neural Turing Machines <graves2014>`, "
        "`arXiv:1410.5401 <https://arxiv.org/abs/1410.5401>`__, section 3."
    )
    assert with_links('"Methods of others", doi:10.1038/nature20101.') == (
        '"Methods of others", `doi:10.1038/nature20101 <https://doi.org/10.1038/nature20101>`__.'
    )


def test_equations_are_split_where_they_are_separate(extension):
    pieces = extension["mathml"].pieces
    assert list(pieces(r"a = b, \qquad c = d")) == ["a = b,", "c = d"]
    assert list(pieces(r"a = {b \qquad c}")) == [r"a = {b \qquad c}"]
    cases = r"f = \begin{cases} 1 & x \\ 2 & \text{else} \qquad \end{cases}"
    assert list(pieces(cases + r" \qquad g = 1")) == [cases, "g = 1"]
    assert list(pieces(r"\{ a \qquad b")) == [r"\{ a", "b"]


def test_an_equation_is_mathml(extension):
    drawn = "".join(extension["mathml"].mathml(r"\frac{a}{b}", as_block=True).split())
    assert '<mathxmlns="http://www.w3.org/1998/Math/MathML"display="block">' in drawn
    assert "<mfrac><mi>a</mi><mi>b</mi></mfrac>" in drawn


def test_an_unknown_command_is_refused(extension):
    with pytest.raises(Exception, match=r"the equation '\\\\nonsense x' cannot be drawn .* write it in plainer TeX"):
        extension["mathml"].mathml(r"\nonsense x", as_block=False)
