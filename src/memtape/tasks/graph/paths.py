"""Episodes: paths through graphs that are chosen step by step, laid out as sequences."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core.state import state
from memtape.tasks.graph.encoding import BLANK, PREDICTION, TRANSITION, TRIPLE, encoded
from memtape.tasks.graph.graph_batch import GraphBatch
from memtape.tasks.graph.planner import after_each_edge

CHOICE = 5
"""What the targets tell of each edge that can be taken: its three labels, how far the goal is after it, and whether it is the
planner's."""


@state
class PathBatch(GraphBatch):
    """Sequences that ask for a shortest path, each with one path that was taken."""

    starts: Int[Tensor, " batch"]
    goals: Int[Tensor, " batch"]
    begins: Int[Tensor, " batch"]
    """The step at which the path begins."""
    limits: Int[Tensor, " batch"]
    """Most edges of the path."""
    distances: Int[Tensor, "batch nodes goals"]
    """From each node to each goal, in edges."""


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Where the paths of a batch stand, and the edges that can be taken from there."""

    alive: Bool[Tensor, " batch"]
    """Which paths go on."""
    triples: Int[Tensor, "batch edges 3"]
    """Labels of the edges that can be taken, blank where there are fewer."""
    distances: Int[Tensor, "batch edges"]
    """How far the goal is after each."""
    planned: Int[Tensor, " batch"]
    """The planner's edge: one of those after which the goal is nearest."""
    last: Int[Tensor, "batch 3"]
    """Labels of the edge that led there, blank at the first step."""
    step: int
    """Which step it is, counted from 0."""


Choose = Callable[[Crossing], Tensor]
"""Returns which of the edges is taken."""


def walked(batch: PathBatch, choose: Choose, generator: torch.Generator | None) -> PathBatch:
    """Return a batch whose paths are chosen step by step, to the goal or to the limit.

    Args:
        batch: tells the graphs, the ends and what comes before the path.
        choose: chooses an edge at each step.
        generator: chance of the planner, among edges after which the goal is equally near; None lets it take the first.
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
    return torch.rand(best.shape, generator=generator).masked_fill(~best, -1.0).argmax(1)


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
    told = since[:, :kept] < 0
    inputs[:, :kept] = batch.inputs[:, :kept] * told[:, :, None]
    heard = torch.stack([step_inputs(crossing) for crossing in crossings], dim=1)
    inputs = torch.where(mask[:, :, None], heard[rows, at], inputs)
    choices = torch.stack([_choices(crossing) for crossing in crossings], dim=1)
    shown = torch.full((len(batch), time), -1)
    shown[:, :kept] = torch.where(told, batch.shown[:, :kept], -1)
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
    """Return what is told at a step of a path: the edge that was taken last, and that an edge is asked for."""
    inputs = torch.zeros(len(crossing.last), TRIPLE + 2)
    inputs[:, :TRIPLE] = encoded(crossing.last)
    inputs[:, TRANSITION] = float(crossing.step == 0)
    inputs[:, PREDICTION] = 1
    return inputs


def _choices(crossing: Crossing) -> Int[Tensor, "batch edges 5"]:
    planned = torch.arange(crossing.distances.shape[1]) == crossing.planned[:, None]
    return torch.cat([crossing.triples, crossing.distances[:, :, None], planned[:, :, None].long()], dim=-1)
