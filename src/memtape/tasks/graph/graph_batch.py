"""Graph batch: sequences that were made from graphs, and these graphs."""

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.state import state
from memtape.tasks.graph.graphs import Graphs


@state
class GraphBatch(SequenceBatch):
    """Sequences with their targets, and the graphs that they tell of."""

    graphs: Graphs
    shown: Int[Tensor, "batch time"]
    """Which edge is told at each step, by its place in the flat table of nodes and their edges; -1 for none."""
    paths: Int[Tensor, "batch questions steps"]
    """The edges of each path that is asked for, by the same places, -1 after its end."""


def shown_at(order: Int[Tensor, "batch edges"], counts: Int[Tensor, " batch"], time: int) -> Int[Tensor, "batch time"]:
    """Return which edge is told at each step, if so many of each row are told in order from the first step on."""
    shown = functional.pad(order, (0, time - order.shape[1]), value=-1)
    return torch.where(torch.arange(time) < counts[:, None], shown, -1)
