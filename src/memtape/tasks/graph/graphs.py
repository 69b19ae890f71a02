"""Graphs: batches of directed graphs with labelled nodes and edges."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.core import state_tree
from memtape.core.state import state

LABELS = 1_000
"""Number of labels: integers of three digits."""


@state
class Graphs:
    """A batch of directed graphs; nodes and outgoing edges are padded to the largest number in the batch."""

    node_labels: Int[Tensor, "*batch nodes"]
    neighbours: Int[Tensor, "*batch nodes edges"]
    """The target node of each edge."""
    edge_labels: Int[Tensor, "*batch nodes edges"]
    degrees: Int[Tensor, "*batch nodes"]
    """Number of outgoing edges of each node; 0 for padding."""
    places: Float[Tensor, "*batch nodes 2"]
    """Coordinates of each node in a picture."""
    known: Int[Tensor, "*batch"]
    """Index of the named graph; -1 for a random graph."""

    @property
    def present(self) -> Bool[Tensor, "*batch nodes edges"]:
        """Which edges exist; False for padding."""
        return torch.arange(self.neighbours.shape[-1]) < self.degrees[..., None]

    def triples(self) -> Int[Tensor, "batch nodes edges 3"]:
        """Return the labels of each edge: those of its source node, of the edge, and of its target node."""
        rows = torch.arange(len(self.node_labels))[:, None, None]
        sources = self.node_labels[:, :, None].expand_as(self.neighbours)
        return torch.stack([sources, self.edge_labels, self.node_labels[rows, self.neighbours]], dim=-1)

    def padded(self, nodes: int, edges: int) -> "Graphs":
        """Return the same graphs, padded to the given numbers of nodes and of edges per node."""
        more_nodes = nodes - self.neighbours.shape[1]
        more_edges = edges - self.neighbours.shape[2]
        return Graphs(
            node_labels=functional.pad(self.node_labels, (0, more_nodes)),
            neighbours=functional.pad(self.neighbours, (0, more_edges, 0, more_nodes)),
            edge_labels=functional.pad(self.edge_labels, (0, more_edges, 0, more_nodes)),
            degrees=functional.pad(self.degrees, (0, more_nodes)),
            places=functional.pad(self.places, (0, 0, 0, more_nodes)),
            known=self.known,
        )


def draw_graphs(
    nodes: Int[Tensor, " batch"],
    degrees: tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]],
    generator: torch.Generator,
    *,
    edge_labels: int | None = None,
) -> Graphs:
    """Draw random graphs: points in the unit square, each with edges to its nearest neighbours.

    The labels of the nodes of a graph are distinct. The outgoing edges of a node have distinct labels, drawn from a pool that
    all nodes of the graph share.

    Args:
        nodes: number of nodes of each graph, at least 2.
        degrees: smallest and largest number of outgoing edges of a node in each graph; drawn uniformly, both ends included,
            and limited to the number of other nodes.
        generator: the random generator.
        edge_labels: the pool is 0 up to, but not including, this number; None means a random pool of as many labels as nodes.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, Methods.
    """
    batch, most = len(nodes), int(nodes.max())
    edges = min(int(degrees[1].max()), most - 1)
    exists = torch.arange(most) < nodes[:, None]
    places = torch.rand(batch, most, 2, dtype=torch.float32, generator=generator)
    distances = torch.cdist(places, places)
    distances = distances.masked_fill(~exists[:, None] | torch.eye(most, dtype=torch.bool), torch.inf)
    low, high = (bound[:, None] for bound in degrees)
    wanted = draw_between(low.expand(batch, most), high.expand(batch, most), generator)
    leaving = torch.where(exists, torch.minimum(wanted, nodes[:, None] - 1), 0)
    neighbours = distances.argsort(dim=-1)[:, :, :edges]
    if edge_labels is None:
        pool, size = distinct(batch, most, LABELS, generator), nodes
    else:
        pool, size = torch.arange(edge_labels).expand(batch, -1), torch.full((batch,), edge_labels)
    chances = torch.rand(batch, most, pool.shape[1], dtype=torch.float32, generator=generator)
    chances = chances.masked_fill(torch.arange(pool.shape[1]) >= size[:, None, None], -1.0)
    picked = chances.topk(edges, dim=-1).indices
    present = torch.arange(edges) < leaving[:, :, None]
    return Graphs(
        node_labels=distinct(batch, most, LABELS, generator) * exists,
        neighbours=neighbours * present,
        edge_labels=pool.gather(1, picked.flatten(1)).reshape(picked.shape) * present,
        degrees=leaving,
        places=places,
        known=torch.full((batch,), -1),
    )


def chosen(rows: Bool[Tensor, " batch"], graphs: Graphs, others: Graphs) -> Graphs:
    """Select, row by row, from `graphs` where `rows` is True, else from `others`; both are padded to a common size."""
    nodes, edges = (max(graphs.neighbours.shape[axis], others.neighbours.shape[axis]) for axis in (1, 2))
    return state_tree.select(rows, graphs.padded(nodes, edges), others.padded(nodes, edges))


def draw_between(low: Int[Tensor, "*shape"], high: Int[Tensor, "*shape"], generator: torch.Generator) -> Tensor:
    """Draw an integer from each range, uniformly, both ends included."""
    return low + (torch.rand(low.shape, dtype=torch.float64, generator=generator) * (high - low + 1)).long()


def distinct(rows: int, count: int, labels: int, generator: torch.Generator) -> Int[Tensor, "rows count"]:
    """Draw rows of distinct integers from 0 up to, but not including, `labels`, in random order."""
    return torch.rand(rows, labels, dtype=torch.float32, generator=generator).topk(count, dim=1).indices


def shuffled_triples(graphs: Graphs, generator: torch.Generator) -> tuple[Int[Tensor, "batch edges 3"], Tensor, Tensor]:
    """Return the labels of all edges of each graph in random order, the number of edges, and their indices.

    The index of an edge is its position in the flattened (nodes, edges) table.
    """
    present = graphs.present.flatten(1)
    counts = present.sum(1)
    chances = torch.rand(present.shape, dtype=torch.float32, generator=generator).masked_fill(~present, 2.0)
    order = chances.argsort(dim=1)[:, : int(counts.max())]
    triples = graphs.triples().flatten(1, 2)
    return triples.gather(1, order[:, :, None].expand(-1, -1, 3)), counts, order
