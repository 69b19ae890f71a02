"""Links from names in code font to the API reference, in pages and in docstrings."""

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from extension.api_pages import documented_names

WITHOUT_LINKS = (nodes.title, nodes.term, nodes.reference, addnodes.pending_xref, addnodes.desc_signature)


class NameLinks(SphinxTransform):
    """Replace each name of a documented object by a link to its description."""

    default_priority = 500

    def apply(self, **options: Any) -> None:
        """Replace the names in one page."""
        names = documented_names()
        for literal in list(self.document.findall(nodes.literal)):
            target = names.get(literal.astext())
            if target is not None and not isinstance(literal.parent, WITHOUT_LINKS):
                link = addnodes.pending_xref(
                    "", literal.copy(), refdomain="py", reftype="obj", reftarget=target, refexplicit=True
                )
                link["refdoc"] = self.env.docname
                link[0] += nodes.Text(literal.astext())
                literal.replace_self(link)


def setup(app: Sphinx) -> dict[str, Any]:
    """Replace names before references are resolved."""
    app.add_transform(NameLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
