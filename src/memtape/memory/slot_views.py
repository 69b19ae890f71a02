"""Slot views: the views that memories of slots share."""

from jaxtyping import Float
from torch import Tensor

from memtape.core.view import HEAD, SLOT, View


def vectors_view(name: str, title: str, vectors: Float[Tensor, "batch heads width"]) -> View:
    """Return the view of a vector for each head, such as the read vectors."""
    return View(name=name, title=title, values=vectors, axes=(HEAD, "width"), scale="signed", measure="value")


def gates_view(
    name: str, title: str, gates: Float[Tensor, "batch gates"], entries: tuple[str, ...] | None = None
) -> View:
    """Return the view of a gate for each head, or of named gates."""
    axes = (HEAD,) if entries is None else ("gate",)
    return View(name=name, title=title, values=gates, axes=axes, scale="level", measure="gate", entries=entries or ())


def weights_view(name: str, title: str, weights: Float[Tensor, "batch heads slots"]) -> View:
    """Return the view of the weights of heads on slots."""
    return View(name=name, title=title, values=weights, axes=(HEAD, SLOT), scale="share", measure="weight")


def modes_view(modes: Float[Tensor, "batch heads modes"], entries: tuple[str, ...]) -> View:
    """Return the view of the read modes of each head."""
    return View(
        name="read_modes",
        title="Read modes",
        values=modes,
        axes=(HEAD, "mode"),
        scale="level",
        measure="mode",
        entries=entries,
    )


def links_view(links: Float[Tensor, "batch *heads slots slots"]) -> View:
    """Return the view of links, per write head or of all: row i, column j is the strength of the link from j to i."""
    axes = (*([HEAD] if links.ndim == 4 else []), "written slot", "right after slot")
    return View(name="links", title="Links", values=links, axes=axes, scale="share", measure="link")


def contents_view(memory: Float[Tensor, "batch slots width"]) -> View:
    """Return the view of the contents of the slots."""
    return View(name="contents", title="Contents", values=memory, axes=(SLOT, "width"), scale="signed", measure="value")
