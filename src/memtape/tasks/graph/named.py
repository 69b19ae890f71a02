"""Named: graphs whose nodes and edges have names, such as stations and lines, in the form of those that are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core import tree
from memtape.tasks.graph.graphs import LABELS, Graphs, distinct


@dataclass(frozen=True)
class NamedGraph:
    """A directed graph with names; edges that leave a node have different words."""

    name: str
    nodes: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    """Where a picture shows each node, from 0 to 1 to the right and upwards."""
    edges: tuple[tuple[int, str, int], ...]
    """The node that it leaves, its word, and the node that it leads to."""

    def leaving(self, node: int) -> list[tuple[str, int]]:
        """Return the edges that leave a node: their words, and where they lead."""
        return [(word, target) for source, word, target in self.edges if source == node]

    @property
    def words(self) -> tuple[str, ...]:
        """The words of all edges, each once, in order."""
        return tuple(sorted({word for _, word, _ in self.edges}))


def to_unit_square(places: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return points moved and scaled so that they fill the unit square."""
    lows, highs = ([bound(axis) for axis in zip(*places, strict=True)] for bound in (min, max))
    (x, y), (right, top) = lows, highs
    return tuple(((a - x) / (right - x), (b - y) / (top - y)) for a, b in places)


def with_new_labels(
    graphs: Sequence[NamedGraph], which: Int[Tensor, " batch"], generator: torch.Generator, *, edge_labels: int = LABELS
) -> Graphs:
    """Return one of some graphs for each row, with numbers for their names that are drawn for the row alone.

    Args:
        graphs: the graphs.
        which: the graph of each row.
        generator: where numbers come from.
        edge_labels: numbers of edges are different ones from 0 up to, but not including, this.
    """
    words = sorted({word for graph in graphs for word in graph.words})
    nodes = max(len(graph.nodes) for graph in graphs)
    edges = max(len(graph.leaving(node)) for graph in graphs for node in range(len(graph.nodes)))
    shape = (len(graphs), nodes, edges)
    neighbours, spoken = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    degrees, places = torch.zeros(shape[:2], dtype=torch.long), torch.zeros(*shape[:2], 2)
    for number, graph in enumerate(graphs):
        places[number, : len(graph.nodes)] = torch.tensor(graph.places)
        for node in range(len(graph.nodes)):
            leaving = graph.leaving(node)
            degrees[number, node] = len(leaving)
            for place, (word, target) in enumerate(leaving):
                neighbours[number, node, place] = target
                spoken[number, node, place] = words.index(word)
    batch = len(which)
    labels = distinct(batch, len(words), edge_labels, generator)
    sizes = torch.tensor([len(graph.nodes) for graph in graphs])[which]
    return Graphs(
        node_labels=distinct(batch, nodes, LABELS, generator) * (torch.arange(nodes) < sizes[:, None]),
        neighbours=neighbours[which],
        edge_labels=labels.gather(1, spoken[which].flatten(1)).reshape(batch, nodes, edges),
        degrees=degrees[which],
        places=places[which],
        known=which,
    )


def with_known(
    graphs: Graphs,
    named: Sequence[NamedGraph],
    which: Int[Tensor, " batch"],
    generator: torch.Generator,
    *,
    edge_labels: int = LABELS,
) -> Graphs:
    """Return graphs of which some rows are replaced by ones with names, -1 leaving a row as it is."""
    known = with_new_labels(named, which.clamp(min=0), generator, edge_labels=edge_labels)
    nodes, edges = (max(graphs.neighbours.shape[axis], known.neighbours.shape[axis]) for axis in (1, 2))
    return tree.select(which >= 0, known.padded(nodes, edges), graphs.padded(nodes, edges))
