"""Relations: a fixed table of 400 named sequences of edge labels."""

import hashlib
from functools import cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.tasks.graph.graphs import Graphs

EDGE_LABELS = 10
"""Number of edge labels: 0 to 9."""

STEPS = range(2, 6)
"""The possible numbers of edges of a relation."""

OF_EACH = 100
"""Number of relations of each number of edges."""


@cache
def sequences() -> Int[Tensor, "relations steps"]:
    """Return the edge labels of each relation, -1 after its end, sorted by the number of edges."""
    rows = []
    for steps in STEPS:
        found: dict[tuple[int, ...], None] = {}
        number = 0
        while len(found) < OF_EACH:
            digest = hashlib.sha256(f"relation of {steps} edges, number {number}".encode()).digest()
            value = int.from_bytes(digest[:8], "big") % EDGE_LABELS**steps
            found[tuple(value // EDGE_LABELS**place % EDGE_LABELS for place in range(steps))] = None
            number += 1
        rows += [[*labels, *[-1] * (STEPS[-1] - steps)] for labels in found]
    return torch.tensor(rows)


def relation_labels() -> Int[Tensor, " relations"]:
    """Return the labels of the relations: 10 to 409."""
    return torch.arange(len(sequences())) + EDGE_LABELS


def followed(
    graphs: Graphs,
) -> tuple[Bool[Tensor, "batch nodes relations"], Int[Tensor, "batch nodes relations steps"]]:
    """Follow each relation from each node, and return which can be followed, and along which edges.

    Edges are indices into the flattened (nodes, edges) table, -1 after the end of the relation; they are undefined for
    relations that cannot be followed.
    """
    labels = sequences()
    batch, nodes, width = graphs.neighbours.shape
    numbers = torch.arange(nodes * width).reshape(nodes, width).expand(batch, -1, -1)
    spare = torch.where(graphs.present, graphs.edge_labels, EDGE_LABELS)
    called = torch.full((batch, nodes, EDGE_LABELS + 1), -1).scatter(2, spare, numbers)[:, :, :EDGE_LABELS].flatten(1)
    ends = graphs.neighbours.flatten(1)
    node = torch.arange(nodes)[None, :, None].expand(batch, nodes, len(labels)).flatten(1)
    possible = torch.ones_like(node, dtype=torch.bool)
    taken = []
    for label in labels.T:
        going = (label >= 0).repeat(nodes)
        edge = called.gather(1, node * EDGE_LABELS + label.clamp(min=0).repeat(nodes))
        possible &= (edge >= 0) | ~going
        taken.append(torch.where(going, edge, -1))
        node = torch.where(going, ends.gather(1, edge.clamp(min=0)), node)
    possible = possible.reshape(batch, nodes, -1) & (graphs.degrees > 0)[:, :, None]
    return possible, torch.stack(taken, dim=-1).reshape(batch, nodes, len(labels), -1)
