"""Gradient: the loss of one batch and its gradient, summed over parts, chunks and processes."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch

from memtape.core import state_tree
from memtape.core.batch import SequenceBatch
from memtape.core.task import Task
from memtape.training.loss import answer_with_loss, loss_weight
from memtape.training.network_traits import is_teacher_forced
from memtape.training.parallel.network import Network
from memtape.training.parallel.processes import Processes
from memtape.training.settings import TrainSettings

State = Any
"""The state of the trained network, of any type."""


def gradient(
    network: Network,
    task: Task,
    batch: SequenceBatch,
    carried: State | None,
    *,
    settings: TrainSettings,
    processes: Processes,
    teacher: float = 1.0,
) -> tuple[dict[str, float], State, SequenceBatch]:
    r"""Add the gradient of a batch's loss to the gradients of the parameters.

    The rows are divided among processes and split into `accumulate` parts, the steps into chunks of `tbptt`. The loss
    is $\sum_p w_p \ell_p / \sum_p w_p$ over all parts, with their losses $\ell_p$ and weights $w_p$, and so is the
    gradient; with chunks that are shorter than the sequence, no gradient flows from a chunk to the previous one. If the
    network has its own loss, that replaces the loss of the task.

    Args:
        network: the network, called with a state if one is carried.
        task: computes losses, weights and scores.
        batch: the full batch, of all processes.
        carried: the state to start from, for this process's rows; None for the initial state.
        settings: how to split rows and steps.
        processes: assign rows to processes.
        teacher: probability that a network that feeds its outputs back receives the targets instead.

    Returns:
        Loss and scores of the full batch, the detached final state of this process's rows, and these rows.
    """
    whole = loss_weight(network.model, task, batch)
    first, last = processes.share(len(batch))
    own = batch.rows(first, last).move(device=processes.accelerator.device)
    rows = len(own)
    forced = is_teacher_forced(network.model)
    options = {"checkpoint_every": settings.checkpoint_every} if settings.checkpoint_every else {}
    loss, outputs, ends = 0.0, [], []
    for begin, end in _cuts(rows, settings.accumulate):
        part, state, answers = (
            own.rows(begin, end),
            None if carried is None else state_tree.rows(carried, begin, end),
            [],
        )
        chunks = list(_chunks(part, settings.tbptt))
        for number, chunk in enumerate(chunks):
            final = end == rows and number == len(chunks) - 1
            with nullcontext() if final else network.no_sync():
                given = () if state is None else (state,)
                told = {"targets": chunk.targets, "teacher": teacher} if forced else {}
                ys, state, weighted = answer_with_loss(
                    network.model, task, chunk, *given, whole=whole, call=network, **told, **options
                )
                processes.accelerator.backward(weighted * processes.count)
            loss += weighted.item()
            state = state_tree.detach(state) if settings.carry or number < len(chunks) - 1 else None
            answers.append(ys.detach())
        outputs.append(torch.cat(answers, dim=1) if len(answers) > 1 else answers[0])
        ends.append(state)
    answer = torch.cat(outputs) if len(outputs) > 1 else outputs[0]
    reached = (ends[0] if len(ends) == 1 else state_tree.cat(ends, axis=0)) if settings.carry else None
    sums = processes.sum({"loss": loss, **task.tally(answer, own)})
    return {"loss": sums.pop("loss"), **task.scores_of(sums)}, reached, own


def _cuts(rows: int, parts: int) -> Iterator[tuple[int, int]]:
    for part in range(parts):
        yield part * rows // parts, (part + 1) * rows // parts


def _chunks(batch: SequenceBatch, steps: int | None) -> Iterator[SequenceBatch]:
    time = batch.kind.length(batch.inputs)
    if steps is None or steps >= time:
        yield batch
        return
    for first in range(0, time, steps):
        yield batch.steps(first, min(first + steps, time))
