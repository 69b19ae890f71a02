"""Evaluation: score a trained network, also on sequences longer than those of training."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from memtape.core import checks
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.task import Task
from memtape.training.draw_batch import draw_batch
from memtape.training.network_traits import place_of
from memtape.training.parallel.processes import Processes

BATCH = 32
"""Number of sequences in one batch of an evaluation."""

ENDLESS = 100
"""Number of sequences that represents an endless split."""


def evaluate(
    model: nn.Module,
    task: Task,
    *,
    sequences: int | None,
    seed: int,
    split: str,
    lengths: tuple[int, int] | None = None,
    processes: Processes | None = None,
) -> dict[str, float]:
    """Return the task's scores over sequences of one split; the arguments are those of `tallied`."""
    sums = tallied(model, task, sequences=sequences, seed=seed, split=split, lengths=lengths, processes=processes)
    return task.scores_of(sums)


@torch.no_grad()
def tallied(
    model: nn.Module,
    task: Task,
    *,
    sequences: int | None,
    seed: int,
    split: str,
    lengths: tuple[int, int] | None = None,
    processes: Processes | None = None,
) -> dict[str, float]:
    """Return the sums from which the task computes its scores, over sequences of one split.

    Args:
        model: the network, called as `model(inputs, lengths=...)`.
        task: the source of the sequences.
        sequences: how many to score, at most as many as the split has; None means all of a finite split.
        seed: seed of the data.
        split: split of the data; training never draws from "validation" or "test".
        lengths: shortest and longest length; None means those of training.
        processes: the processes that share the batches, if there are enough; None means only this process.
    """
    sequences = number_of_sequences(task, split, sequences, lengths)
    device, _ = place_of(model)
    counts = [min(BATCH, sequences - done) for done in range(0, sequences, BATCH)]
    shared = processes is not None and processes.count <= len(counts)
    held = task.available(split) is not None
    sums: dict[str, float] = {}
    with evaluation_mode(model):
        for index, count in enumerate(counts):
            if shared and index % processes.count != processes.index:  # type: ignore[union-attr]
                continue
            size = BATCH if held else count
            batch = draw_batch(task, model, index, size, seed=seed, split=split, lengths=lengths).rows(0, count)
            outputs, _ = model(batch.kind.move(batch.inputs, device=device), lengths=batch.lengths)
            for name, value in task.tally(outputs.cpu(), batch).items():
                sums[name] = sums.get(name, 0.0) + value
    if shared:
        sums = processes.sum(sums)  # type: ignore[union-attr]
    return sums


def number_of_sequences(task: Task, split: str, sequences: int | None, lengths: tuple[int, int] | None = None) -> int:
    """Return how many sequences of a split with lengths in a range are scored when a given number is requested.

    Raises:
        ValueError: a number below 1.
    """
    available = task.available_within(split, lengths)
    if sequences is None:
        sequences = ENDLESS if available is None else available
    checks.at_least(1, sequences=sequences)
    return sequences if available is None else min(sequences, available)


def by_length(
    model: nn.Module, task: Task, lengths: Sequence[int], *, sequences: int | None, seed: int
) -> list[dict[str, Any]]:
    """Return one record for each length, `{"length", "sequences", ...scores}`, on the split "test".

    Without lengths, return one record without a length, over the sequences as the task generates them.
    """
    ranges: list[tuple[int, int] | None] = [(length, length) for length in lengths]
    return [
        {
            **({"length": each[0]} if each else {}),
            "sequences": number_of_sequences(task, "test", sequences, each),
            **evaluate(model, task, sequences=sequences, seed=seed, split="test", lengths=each),
        }
        for each in ranges or [None]
    ]


def tested(
    model: nn.Module, task: Task, lengths: Sequence[int], *, sequences: int | None, seed: int
) -> list[dict[str, Any]]:
    """Return the records of the final evaluation: those of `by_length`, followed by one for each part of the test split."""
    parts = by_length(model, task, task.test_parts, sequences=sequences, seed=seed) if task.test_parts else []
    return [*by_length(model, task, lengths, sequences=sequences, seed=seed), *parts]
