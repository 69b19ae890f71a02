"""Graph batch: a batch of sequences together with the graphs that they describe."""

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from memtape.core.batch import SequenceBatch
from memtape.core.state import state
from memtape.tasks.graph.graphs import Graphs


@state
class GraphBatch(SequenceBatch):
    """Sequences with their targets, and the graphs that they describe."""

    graphs: Graphs
    shown: Int[Tensor, "batch time"]
    """The edge presented at each step, as an index into the flattened (nodes, edges) table; -1 for none."""
    paths: Int[Tensor, "batch questions steps"]
    """The edges of each queried path, as such indices; -1 after its end."""


def shown_at(order: Int[Tensor, "batch edges"], counts: Int[Tensor, " batch"], time: int) -> Int[Tensor, "batch time"]:
    """Return the edge presented at each step if the first `counts` edges of each row are presented from step 0 on."""
    shown = functional.pad(order, (0, time - order.shape[1]), value=-1)
    return torch.where(torch.arange(time) < counts[:, None], shown, -1)
