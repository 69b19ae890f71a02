"""Graphs: nodes and the labelled edges that leave them, a batch of graphs at a time."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.core import state_tree
from memtape.core.state import state

LABELS = 1_000
"""A label is a number of three digits."""


@state
class Graphs:
    """A batch of directed graphs; rows with fewer nodes, and nodes with fewer edges, are padded."""

    node_labels: Int[Tensor, "*batch nodes"]
    neighbours: Int[Tensor, "*batch nodes edges"]
    """The node that each edge leads to."""
    edge_labels: Int[Tensor, "*batch nodes edges"]
    degrees: Int[Tensor, "*batch nodes"]
    """How many edges leave each node, 0 of nodes that are padding."""
    places: Float[Tensor, "*batch nodes 2"]
    """Where a picture shows each node."""
    known: Int[Tensor, "*batch"]
    """Which of the graphs with names it is, -1 for one that was drawn."""

    @property
    def present(self) -> Bool[Tensor, "*batch nodes edges"]:
        """Which edges are there."""
        return torch.arange(self.neighbours.shape[-1]) < self.degrees[..., None]

    def triples(self) -> Int[Tensor, "batch nodes edges 3"]:
        """Return the labels of each edge: of the node that it leaves, its own, and of the node that it leads to."""
        rows = torch.arange(len(self.node_labels))[:, None, None]
        sources = self.node_labels[:, :, None].expand_as(self.neighbours)
        return torch.stack([sources, self.edge_labels, self.node_labels[rows, self.neighbours]], dim=-1)

    def padded(self, nodes: int, edges: int) -> "Graphs":
        """Return the same graphs with room for so many nodes and edges of a node."""
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
    """Draw points in the unit square, each with edges to so many of its nearest neighbours.

    Labels of nodes are different numbers. Edges that leave a node have different labels, from a pool that all nodes share.

    Args:
        nodes: number of nodes of each graph, at least 2.
        degrees: fewest and most edges that leave a node of each graph, uniform with both ends; never more than other nodes.
        generator: where numbers come from.
        edge_labels: the pool is 0 up to, but not including, this number; None means as many different labels as nodes.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, Methods.
    """
    batch, most = len(nodes), int(nodes.max())
    edges = min(int(degrees[1].max()), most - 1)
    exists = torch.arange(most) < nodes[:, None]
    places = torch.rand(batch, most, 2, generator=generator)
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
    chances = torch.rand(batch, most, pool.shape[1], generator=generator)
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
    """Return the graphs of the rows that hold, and the others elsewhere, whatever their sizes."""
    nodes, edges = (max(graphs.neighbours.shape[axis], others.neighbours.shape[axis]) for axis in (1, 2))
    return state_tree.select(rows, graphs.padded(nodes, edges), others.padded(nodes, edges))


def draw_between(low: Int[Tensor, "*shape"], high: Int[Tensor, "*shape"], generator: torch.Generator) -> Tensor:
    """Return a whole number for each range, uniform with both ends."""
    return low + (torch.rand(low.shape, dtype=torch.float64, generator=generator) * (high - low + 1)).long()


def distinct(rows: int, count: int, labels: int, generator: torch.Generator) -> Int[Tensor, "rows count"]:
    """Return rows of different numbers from 0 up to, but not including, `labels`, in any order."""
    return torch.rand(rows, labels, generator=generator).topk(count, dim=1).indices


def shuffled_triples(graphs: Graphs, generator: torch.Generator) -> tuple[Int[Tensor, "batch edges 3"], Tensor, Tensor]:
    """Return the labels of all edges of each graph in a random order, how many there are, and which edge each one is.

    An edge is known by its place in the flat table of nodes and their edges.
    """
    present = graphs.present.flatten(1)
    counts = present.sum(1)
    chances = torch.rand(present.shape, generator=generator).masked_fill(~present, 2.0)
    order = chances.argsort(dim=1)[:, : int(counts.max())]
    triples = graphs.triples().flatten(1, 2)
    return triples.gather(1, order[:, :, None].expand(-1, -1, 3)), counts, order
