"""Walks: random walks along the edges of graphs."""

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.graph.graphs import Graphs


def random_walks(
    graphs: Graphs, steps: Int[Tensor, " batch"], generator: torch.Generator
) -> Int[Tensor, "batch steps"]:
    """Draw a random walk through each graph from a random node, and return its edges; -1 after its end.

    Args:
        graphs: graphs in which every node has outgoing edges.
        steps: number of edges of each walk.
        generator: the random generator.
    """
    count = (graphs.degrees > 0).sum(1)
    node = _below(count, generator)
    walked = []
    for _ in range(int(steps.max())):
        edge = _below(graphs.degrees.gather(1, node[:, None])[:, 0], generator)
        walked.append(node * graphs.neighbours.shape[2] + edge)
        node = ends(graphs, walked[-1])
    taken = torch.stack(walked, dim=1)
    return torch.where(torch.arange(len(walked)) < steps[:, None], taken, -1)


def ends(graphs: Graphs, edges: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """Return the target node of one edge per graph; edges are indices into the flattened (nodes, edges) table."""
    return graphs.neighbours.flatten(1).gather(1, edges[:, None])[:, 0]


def edge_triples(graphs: Graphs, edges: Int[Tensor, "batch steps"]) -> Int[Tensor, "batch steps 3"]:
    """Return the labels of edges; entries for -1 are undefined."""
    triples = graphs.triples().flatten(1, 2)
    return triples.gather(1, edges.clamp(min=0)[:, :, None].expand(-1, -1, 3))


def _below(counts: Int[Tensor, " batch"], generator: torch.Generator) -> Int[Tensor, " batch"]:
    """Draw an integer below each count, uniformly."""
    return (torch.rand(len(counts), dtype=torch.float64, generator=generator) * counts).long()
