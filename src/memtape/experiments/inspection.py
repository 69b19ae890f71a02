"""Inspection: record what a network with a memory does over one sequence, for the figures of a report."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from memtape.core.graph_picture import GraphPicture, Pictured
from memtape.core.recurrent import Recurrent
from memtape.core.symbols import vectors_of
from memtape.core.task import Task
from memtape.core.view import View, Views
from memtape.training.draw_batch import draw_batch
from memtape.viz.read_sources import read_sources
from memtape.viz.tape import Tape


def tape_of(model: nn.Module, task: Task, *, length: int, seed: int) -> Tape | None:
    """Run a network over one test sequence and return the views of its memory.

    Args:
        model: a trained network that runs over sequences.
        task: the source of the sequence.
        length: its length, in the task's unit.
        seed: seed of the data.

    Returns:
        The record; None if the cell has no views, or for a task of graphs, which has a figure of its own.
    """
    if isinstance(task, Pictured) or not isinstance(model, Recurrent):
        return None
    batch = task.batch(0, 1, seed=seed, split="picture", lengths=(length, length))
    outputs, views = recorded(model, batch.inputs.to(next(model.parameters()).device))
    if not views:
        return None
    return Tape(
        inputs=_first_row(batch.inputs),
        outputs=_first_row(torch.sigmoid(outputs)),
        targets=_first_row(batch.targets),
        scored=_first_row(batch.mask),
        views=views,
    )


@torch.no_grad()
def recorded(model: Recurrent[Any], inputs: Tensor) -> tuple[Tensor, Views]:
    """Run a network over a sequence, step by step, and return its outputs and the views of its cell.

    Args:
        model: a network that runs over sequences.
        inputs: the sequence, as a batch of one.

    Returns:
        The outputs, and the views as NumPy arrays (time, *axes); a matrix has one step, the last.
    """
    cell, vectors = vectors_of(model.cell, inputs)
    state = model.init_state(1)
    outputs, steps, matrices = [], [], []
    for x in vectors.unbind(1):
        views = cell.views(x, state)
        steps.append([view for view in views if not view.matrix])
        matrices = [view for view in views if view.matrix]
        y, state = cell(x, state)
        outputs.append(y)
    over_time = {views[0].name: _over_time(views) for views in zip(*steps, strict=True)}
    at_the_end = {view.name: _over_time([view]) for view in matrices}
    return torch.stack(outputs, dim=1), tuple((over_time | at_the_end)[view.name] for view in views)


@torch.no_grad()
def graph_of(model: nn.Module, task: Task, *, length: int, seed: int) -> tuple[GraphPicture, Any] | None:
    """Run a network on one question about a graph; return None if it has no graphs or reads no sequences.

    Args:
        model: a trained network.
        task: the source of the question.
        length: its lesson.
        seed: seed of the data.

    Returns:
        The picture, and the sources of the reads for `graph_figure`, which are None if the memory has no views
        "write_weights" and "read_weights".
    """
    if not isinstance(task, Pictured) or not isinstance(model, Recurrent):
        return None
    batch = draw_batch(task, model, 0, 1, seed=seed, split="picture", lengths=(length, length))
    outputs, views = recorded(model, batch.inputs.to(next(model.parameters()).device))
    picture = task.picture(batch, outputs.cpu())
    weights = {view.name: view.values for view in views}
    if not {"write_weights", "read_weights"} <= set(weights):
        return picture, None
    return picture, read_sources(weights["write_weights"], weights["read_weights"])


def _over_time(views: Any) -> View:
    """Stack one view of the first row over time, from the views of single steps."""
    return replace(views[0], values=torch.stack([view.values[0] for view in views]).cpu().numpy())


def _first_row(values: Tensor) -> Any:
    return values[0].cpu().numpy()
