"""Named: graphs whose nodes and edges have names, such as stations and lines, in the form of those that are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.graph.graphs import LABELS, Graphs, chosen, distinct


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


class Atlas:
    """Some graphs with names, ready to be handed out in the form of those that are drawn.

    Args:
        graphs: the graphs; the numbers of their places here are those of `Graphs.known`.
    """

    def __init__(self, graphs: Sequence[NamedGraph]):
        self.graphs = tuple(graphs)
        self.words = sorted({word for graph in graphs for word in graph.words})
        self.sizes = torch.tensor([len(graph.nodes) for graph in graphs])
        nodes = int(self.sizes.max())
        edges = max(len(graph.leaving(node)) for graph in graphs for node in range(len(graph.nodes)))
        shape = (len(graphs), nodes, edges)
        self.neighbours, self.spoken = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        self.degrees, self.places = torch.zeros(shape[:2], dtype=torch.long), torch.zeros(*shape[:2], 2)
        for number, graph in enumerate(graphs):
            self.places[number, : len(graph.nodes)] = torch.tensor(graph.places)
            for node in range(len(graph.nodes)):
                leaving = graph.leaving(node)
                self.degrees[number, node] = len(leaving)
                for place, (word, target) in enumerate(leaving):
                    self.neighbours[number, node, place] = target
                    self.spoken[number, node, place] = self.words.index(word)

    def with_new_labels(
        self, which: Int[Tensor, " batch"], generator: torch.Generator, *, edge_labels: int = LABELS
    ) -> Graphs:
        """Return one of the graphs for each row, with numbers for its names that are drawn for the row alone.

        Args:
            which: the graph of each row.
            generator: where numbers come from.
            edge_labels: numbers of edges are different ones from 0 up to, but not including, this.
        """
        batch, (nodes, edges) = len(which), self.neighbours.shape[1:]
        present = torch.arange(edges) < self.degrees[which][:, :, None]
        labels = distinct(batch, len(self.words), edge_labels, generator)
        called = labels.gather(1, self.spoken[which].flatten(1)).reshape(batch, nodes, edges)
        exists = torch.arange(nodes) < self.sizes[which][:, None]
        return Graphs(
            node_labels=distinct(batch, nodes, LABELS, generator) * exists,
            neighbours=self.neighbours[which],
            edge_labels=called * present,
            degrees=self.degrees[which],
            places=self.places[which],
            known=which,
        )

    def replacing(
        self, graphs: Graphs, which: Int[Tensor, " batch"], generator: torch.Generator, *, edge_labels: int = LABELS
    ) -> Graphs:
        """Return graphs of which some rows are replaced by ones with names; -1 leaves a row as it is."""
        known = self.with_new_labels(which.clamp(min=0), generator, edge_labels=edge_labels)
        return chosen(which >= 0, known, graphs)
