"""Paths: paths through graphs, chosen edge by edge and laid out as sequences."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core.state import state
from memtape.tasks.graph.encoding import BLANK, PREDICTION, TRANSITION, TRIPLE, encoded
from memtape.tasks.graph.graph_batch import GraphBatch
from memtape.tasks.graph.planner import after_each_edge


@state
class PathBatch(GraphBatch):
    """Sequences that query a shortest path, each with the path that was taken."""

    starts: Int[Tensor, " batch"]
    goals: Int[Tensor, " batch"]
    begins: Int[Tensor, " batch"]
    """The first step of the path."""
    limits: Int[Tensor, " batch"]
    """Maximum number of edges of the path."""
    distances: Int[Tensor, "batch nodes goals"]
    """Number of edges from each node to each goal."""


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """The available edges at one step of the paths of a batch."""

    alive: Bool[Tensor, " batch"]
    """Which paths are not finished."""
    triples: Int[Tensor, "batch edges 3"]
    """Labels of the available edges; blank entries are padding."""
    distances: Int[Tensor, "batch edges"]
    """Distance to the goal after each edge."""
    planned: Int[Tensor, " batch"]
    """Index of the planner's edge, one that minimises the distance to the goal."""
    last: Int[Tensor, "batch 3"]
    """Labels of the edge taken at the previous step; blank at the first step."""
    step: int
    """Number of the step, counted from 0."""


Choose = Callable[[Crossing], Tensor]
"""A function that returns the index of the edge to take in each row."""


def walked(batch: PathBatch, choose: Choose, generator: torch.Generator | None) -> PathBatch:
    """Extend a batch by paths that are chosen edge by edge, up to the goal or the limit.

    Args:
        batch: the graphs, starts and goals, and the inputs before the path.
        choose: chooses an edge at each step.
        generator: breaks ties between the planner's edges at random; None takes the first of them.
    """
    graphs, rows = batch.graphs, torch.arange(len(batch))
    table = graphs.triples()
    width = graphs.neighbours.shape[2]
    node, last = batch.starts, torch.full((len(batch), 3), BLANK)
    crossings, taken = [], []
    for number in range(int(batch.limits.max())):
        alive = (node != batch.goals) & (number < batch.limits)
        if not alive.any():
            break
        after = after_each_edge(graphs, batch.distances, node, batch.goals)
        crossing = Crossing(
            alive=alive,
            triples=torch.where(graphs.present[rows, node][:, :, None], table[rows, node], BLANK),
            distances=after,
            planned=_nearest(after, graphs.present[rows, node], generator),
            last=last,
            step=number,
        )
        edge = choose(crossing)
        crossings.append(crossing)
        taken.append(torch.where(alive, node * width + edge, -1))
        last = table[rows, node, edge]
        node = torch.where(alive, graphs.neighbours[rows, node, edge], node)
    return _laid_out(batch, crossings, torch.stack(taken, dim=1))


def _nearest(after: Tensor, present: Tensor, generator: torch.Generator | None) -> Tensor:
    best = present & (after == after.amin(1, keepdim=True))
    if generator is None:
        return best.long().argmax(1)
    return torch.rand(best.shape, dtype=torch.float32, generator=generator).masked_fill(~best, -1.0).argmax(1)


def _laid_out(batch: PathBatch, crossings: list[Crossing], taken: Tensor) -> PathBatch:
    counts = (taken >= 0).sum(1)
    lengths = batch.begins + counts
    time, before = int(lengths.max()), int(batch.begins.max())
    since = torch.arange(time) - batch.begins[:, None]
    mask = (since >= 0) & (since < counts[:, None])
    at = since.clamp(0, len(crossings) - 1)
    rows = torch.arange(len(batch))[:, None]
    inputs = batch.inputs.new_zeros(len(batch), time, batch.inputs.shape[2])
    kept = min(time, before)
    is_before = since[:, :kept] < 0
    inputs[:, :kept] = batch.inputs[:, :kept] * is_before[:, :, None]
    of_path = torch.stack([step_inputs(crossing) for crossing in crossings], dim=1)
    inputs = torch.where(mask[:, :, None], of_path[rows, at], inputs)
    choices = torch.stack([_choices(crossing) for crossing in crossings], dim=1)
    shown = torch.full((len(batch), time), -1)
    shown[:, :kept] = torch.where(is_before, batch.shown[:, :kept], -1)
    return PathBatch(
        inputs=inputs,
        targets=choices[rows, at] * mask[:, :, None, None],
        mask=mask,
        lengths=lengths,
        graphs=batch.graphs,
        shown=shown,
        paths=taken[:, None],
        starts=batch.starts,
        goals=batch.goals,
        begins=batch.begins,
        limits=batch.limits,
        distances=batch.distances,
    )


def step_inputs(crossing: Crossing) -> Float[Tensor, "batch input"]:
    """Return the inputs at a step of a path: the edge taken last, and the channel that requests an edge."""
    inputs = torch.zeros(len(crossing.last), TRIPLE + 2)
    inputs[:, :TRIPLE] = encoded(crossing.last)
    inputs[:, TRANSITION] = float(crossing.step == 0)
    inputs[:, PREDICTION] = 1
    return inputs


def _choices(crossing: Crossing) -> Int[Tensor, "batch edges 5"]:
    planned = torch.arange(crossing.distances.shape[1]) == crossing.planned[:, None]
    return torch.cat([crossing.triples, crossing.distances[:, :, None], planned[:, :, None].long()], dim=-1)
