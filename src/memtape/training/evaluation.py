"""Evaluation: score a trained network, also far beyond the lengths that it was trained on."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from memtape.core import checks
from memtape.core.task import Task
from memtape.training.processes import Processes

BATCH = 32
"""Sequences that are scored at once."""


@torch.no_grad()
def evaluate(
    model: nn.Module,
    task: Task,
    *,
    sequences: int,
    seed: int,
    split: str,
    lengths: tuple[int, int] | None = None,
    processes: Processes | None = None,
) -> dict[str, float]:
    """Return the task's scores, averaged over sequences of one split.

    Args:
        model: the network, called as `model(inputs, lengths=...)`.
        task: where the sequences come from.
        sequences: how many to score.
        seed: seed of the data.
        split: split of the data; training never draws from "validation" or "test".
        lengths: shortest and longest length; None means those of training.
        processes: who shares the work, if there is enough of it; None means that this process does it alone.
    """
    checks.at_least(1, sequences=sequences)
    device = next(model.parameters()).device
    sizes = [min(BATCH, sequences - done) for done in range(0, sequences, BATCH)]
    shared = processes is not None and processes.count <= len(sizes)
    sums: dict[str, float] = {}
    for index, size in enumerate(sizes):
        if shared and index % processes.count != processes.index:  # type: ignore[union-attr]
            continue
        batch = task.batch(index, size, seed=seed, split=split, lengths=lengths)
        outputs, _ = model(batch.inputs.to(device), lengths=batch.lengths)
        for name, value in task.scores(outputs.cpu(), batch).items():
            sums[name] = sums.get(name, 0.0) + value * size
    if shared:
        sums = processes.sum(sums)  # type: ignore[union-attr]
    return {name: total / sequences for name, total in sums.items()}


def by_length(
    model: nn.Module, task: Task, lengths: Sequence[int], *, sequences: int, seed: int
) -> list[dict[str, Any]]:
    """Return one record for each length, `{"length", "sequences", ...scores}`, on the split "test"."""
    return [
        {
            "length": length,
            "sequences": sequences,
            **evaluate(model, task, sequences=sequences, seed=seed, split="test", lengths=(length, length)),
        }
        for length in lengths
    ]
