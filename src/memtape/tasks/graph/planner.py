"""Planner: distances between the nodes of a graph, and the distance to a goal after each edge."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.tasks.graph.graphs import Graphs

FAR = 1_000
"""The distance of a node that cannot be reached."""


def distances(graphs: Graphs) -> Int[Tensor, "batch nodes goals"]:
    """Return the number of edges from each node to each goal, `FAR` where no path leads there."""
    batch, nodes, _ = graphs.neighbours.shape
    counts = torch.zeros(batch, nodes, nodes, dtype=torch.float32).scatter_add(
        2, graphs.neighbours, graphs.present.float()
    )
    leads = (counts > 0).float()
    reached = torch.eye(nodes, dtype=torch.float32).expand(batch, -1, -1)
    steps, number = torch.where(reached > 0, 0, FAR), 0
    while True:
        number += 1
        nearer = torch.maximum(reached, (leads @ reached > 0).float())
        if torch.equal(nearer, reached):
            return steps
        steps = torch.where(nearer > reached, number, steps)
        reached = nearer


def after_each_edge(
    graphs: Graphs, steps: Int[Tensor, "batch nodes goals"], node: Int[Tensor, " batch"], goal: Int[Tensor, " batch"]
) -> Int[Tensor, "batch edges"]:
    """Return the distance to the goal after each outgoing edge of a node, `FAR` for padding."""
    rows = torch.arange(len(node))
    there = steps[rows[:, None], graphs.neighbours[rows, node], goal[:, None]]
    return torch.where(graphs.present[rows, node], there, FAR)


def draw_ends(
    steps: Int[Tensor, "batch nodes goals"],
    low: Int[Tensor, " batch"],
    high: Int[Tensor, " batch"],
    generator: torch.Generator,
) -> tuple[Int[Tensor, " batch"], Int[Tensor, " batch"], Bool[Tensor, " batch"]]:
    """Draw a start and a goal for each graph, with a distance drawn uniformly from those in low..high that occur in the graph.

    Returns:
        The starts, the goals, and which graphs have such a pair; starts and goals are undefined for the others.
    """
    most = int(high.max())
    numbers = torch.arange(most + 1)
    allowed = (numbers >= low[:, None]) & (numbers <= high[:, None])
    has = (steps.flatten(1)[:, :, None] == numbers).any(1) & allowed
    chances = torch.rand(has.shape, dtype=torch.float32, generator=generator).masked_fill(~has, -1.0)
    apart = chances.argmax(1)
    pairs = (steps == apart[:, None, None]).flatten(1)
    flat = torch.rand(pairs.shape, dtype=torch.float32, generator=generator).masked_fill(~pairs, -1.0).argmax(1)
    return flat // steps.shape[2], flat % steps.shape[2], has.any(1)
