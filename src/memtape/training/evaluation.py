"""Evaluation: score a trained network, also far beyond the lengths that it was trained on."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from memtape.core import checks
from memtape.core.task import Task

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
) -> dict[str, float]:
    """Return the task's scores, averaged over sequences of one split.

    Args:
        model: the network, called as `model(inputs, lengths=...)`.
        task: where the sequences come from.
        sequences: how many to score.
        seed: seed of the data.
        split: split of the data; training never draws from "validation" or "test".
        lengths: shortest and longest length; None means those of training.
    """
    checks.at_least(1, sequences=sequences)
    device = next(model.parameters()).device
    sums: dict[str, float] = {}
    done = 0
    index = 0
    while done < sequences:
        size = min(BATCH, sequences - done)
        batch = task.batch(index, size, seed=seed, split=split, lengths=lengths)
        outputs, _ = model(batch.inputs.to(device), lengths=batch.lengths)
        for name, value in task.scores(outputs.cpu(), batch).items():
            sums[name] = sums.get(name, 0.0) + value * size
        done += size
        index += 1
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
