"""Named graph: graphs whose nodes and edges have names, such as stations and lines, and their conversion to `Graphs`."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.graph.graphs import LABELS, Graphs, chosen, distinct


@dataclass(frozen=True)
class NamedGraph:
    """A directed graph with named nodes and edges; the outgoing edges of a node have different words."""

    name: str
    nodes: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    """Coordinates (x, y) of each node in a picture, in 0..1, to the right and upwards."""
    edges: tuple[tuple[int, str, int], ...]
    """Source node, word and target node of each edge."""

    def leaving(self, node: int) -> list[tuple[str, int]]:
        """Return the outgoing edges of a node: their words and target nodes."""
        return [(word, target) for source, word, target in self.edges if source == node]

    @property
    def words(self) -> tuple[str, ...]:
        """The distinct words of all edges, sorted."""
        return tuple(sorted({word for _, word, _ in self.edges}))


def to_unit_square(places: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Shift and scale points so that they fill the unit square."""
    lows, highs = ([bound(axis) for axis in zip(*places, strict=True)] for bound in (min, max))
    (x, y), (right, top) = lows, highs
    return tuple(((a - x) / (right - x), (b - y) / (top - y)) for a, b in places)


class Atlas:
    """A list of named graphs as padded tensors, from which batches of `Graphs` are made.

    Args:
        graphs: the named graphs, indexed by `Graphs.known`.
    """

    def __init__(self, graphs: Sequence[NamedGraph]):
        self.graphs = tuple(graphs)
        self.words = sorted({word for graph in graphs for word in graph.words})
        self.sizes = torch.tensor([len(graph.nodes) for graph in graphs])
        nodes = int(self.sizes.max())
        edges = max(len(graph.leaving(node)) for graph in graphs for node in range(len(graph.nodes)))
        shape = (len(graphs), nodes, edges)
        self.neighbours, self.word_numbers = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        self.degrees, self.places = torch.zeros(shape[:2], dtype=torch.long), torch.zeros(*shape[:2], 2)
        for number, graph in enumerate(graphs):
            self.places[number, : len(graph.nodes)] = torch.tensor(graph.places)
            for node in range(len(graph.nodes)):
                leaving = graph.leaving(node)
                self.degrees[number, node] = len(leaving)
                for place, (word, target) in enumerate(leaving):
                    self.neighbours[number, node, place] = target
                    self.word_numbers[number, node, place] = self.words.index(word)

    def with_new_labels(
        self, which: Int[Tensor, " batch"], generator: torch.Generator, *, edge_labels: int = LABELS
    ) -> Graphs:
        """Return a named graph for each row, with labels drawn independently for each row.

        Args:
            which: index of the graph of each row.
            generator: the random generator.
            edge_labels: the labels of edges are distinct integers from 0 up to, but not including, this number.
        """
        batch, (nodes, edges) = len(which), self.neighbours.shape[1:]
        present = torch.arange(edges) < self.degrees[which][:, :, None]
        labels = distinct(batch, len(self.words), edge_labels, generator)
        called = labels.gather(1, self.word_numbers[which].flatten(1)).reshape(batch, nodes, edges)
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
        """Replace the graphs of some rows by named graphs; -1 keeps the graph of a row."""
        known = self.with_new_labels(which.clamp(min=0), generator, edge_labels=edge_labels)
        return chosen(which >= 0, known, graphs)
