"""Graph picture: the data of a figure of a graph task."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

Triple = tuple[str, str, str]
"""The names of a node, an outgoing edge and the node at its end; "_" for a name that is not given."""


@dataclass(frozen=True, kw_only=True)
class GraphPicture:
    """A graph presented as a sequence, the queried paths, and the outputs of a network."""

    nodes: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    """The coordinates of each node, x to the right and y upwards, each in 0..1."""
    edges: tuple[tuple[int, str, int], ...]
    """The source node, the name and the target node of each edge."""
    paths: tuple[tuple[int, ...], ...]
    """The edges of each queried path, in order."""
    steps: tuple[Triple, ...]
    """The triple presented at each step."""
    shown: tuple[int | None, ...]
    """The index of the edge presented at each step, None if there is none."""
    answers: tuple[Triple | None, ...]
    """The target of each step, None for a step without one, and ("end", "", "") at the end of an answer."""
    predicted: tuple[Triple | None, ...]
    """The network's output at each of these steps; all None without a network."""


@runtime_checkable
class Pictured(Protocol):
    """A task whose examples can be drawn as graphs."""

    def picture(self, batch: Any, outputs: Tensor | None = None, row: int = 0) -> GraphPicture:
        """Return the figure data of one example, with the network's predictions if its outputs are given."""
        ...
