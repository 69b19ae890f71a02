"""Walks: steps along the edges of graphs, taken at random."""

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.graph.graphs import Graphs


def random_walks(
    graphs: Graphs, steps: Int[Tensor, " batch"], generator: torch.Generator
) -> Int[Tensor, "batch steps"]:
    """Return the edges of a random walk through each graph, from a random node on, -1 after its end.

    Args:
        graphs: graphs whose nodes all have edges that leave them.
        steps: how many edges each walk has.
        generator: where numbers come from.
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
    """Return the node that an edge of each graph leads to; edges are places in the flat table of nodes and their edges."""
    return graphs.neighbours.flatten(1).gather(1, edges[:, None])[:, 0]


def edge_triples(graphs: Graphs, edges: Int[Tensor, "batch steps"]) -> Int[Tensor, "batch steps 3"]:
    """Return the labels of edges; those of -1 are of no meaning."""
    triples = graphs.triples().flatten(1, 2)
    return triples.gather(1, edges.clamp(min=0)[:, :, None].expand(-1, -1, 3))


def _below(counts: Int[Tensor, " batch"], generator: torch.Generator) -> Int[Tensor, " batch"]:
    """Return a number below each count."""
    return (torch.rand(len(counts), dtype=torch.float64, generator=generator) * counts).long()
