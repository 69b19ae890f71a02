"""Graph picture: what a figure of a graph needs, in plain values."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

Triple = tuple[str, str, str]
"""The names of a node, of an edge that leaves it, and of the node that the edge leads to; "_" where one is not told."""


@dataclass(frozen=True, kw_only=True)
class GraphPicture:
    """A graph that a sequence told of, what was asked and what was said."""

    nodes: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    """Where each node stands, from 0 to 1 to the right and upwards."""
    edges: tuple[tuple[int, str, int], ...]
    """The node that an edge leaves, its name, and the node that it leads to."""
    paths: tuple[tuple[int, ...], ...]
    """The edges of each path that was asked for, in order."""
    steps: tuple[Triple, ...]
    """What is told at each step."""
    shown: tuple[int | None, ...]
    """Which edge is told at each step, if one is."""
    answers: tuple[Triple | None, ...]
    """What is to be said at each step, None where nothing is, and ("end", "", "") where an answer ends."""
    said: tuple[Triple | None, ...]
    """What was said at each of these; all None if nobody was asked."""


@runtime_checkable
class Pictured(Protocol):
    """A task whose examples are graphs."""

    def picture(self, batch: Any, outputs: Tensor | None = None, row: int = 0) -> GraphPicture:
        """Return what a figure of one example needs, with what a network said if its outputs are given."""
        ...
