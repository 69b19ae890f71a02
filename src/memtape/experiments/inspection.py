"""Inspection: record what a network with a memory does over one sequence, for the figures of a report."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from memtape.core.graph_picture import GraphPicture, Pictured
from memtape.core.lookup import LooksUp, Lookup
from memtape.core.recurrent import Recurrent
from memtape.core.score_curve import Curved, ScoreCurve
from memtape.core.story_picture import StoryPicture, TellsStories
from memtape.core.task import Task
from memtape.training.draw_batch import draw_batch
from memtape.training.evaluation import tallied
from memtape.training.network_traits import place_of
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
    batch = draw_batch(task, model, 0, 1, seed=seed, split="picture", lengths=(length, length))
    trace = model.trace(batch.inputs.to(place_of(model)[0]))
    if not trace.views:
        return None
    outputs, classes = torch.from_numpy(trace.outputs), not batch.targets.is_floating_point()
    return Tape(
        inputs=_columns(batch.inputs[0], task.input_size),
        outputs=(outputs.softmax(-1) if classes else outputs.sigmoid()).numpy(),
        targets=_columns(batch.targets[0], task.output_size) * (batch.mask[0, :, None].numpy() if classes else 1),
        scored=batch.mask[0].numpy(),
        views=trace.views,
    )


def _columns(values: Tensor, size: int) -> np.ndarray:
    """Return vectors as they are, and symbols as one-hot vectors."""
    return (values if values.is_floating_point() else one_hot(values, size).float()).numpy()


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
    trace = model.trace(batch.inputs.to(place_of(model)[0]))
    picture = task.picture(batch, torch.from_numpy(trace.outputs)[None])
    weights = {view.name: view.values for view in trace.views}
    if not {"write_weights", "read_weights"} <= set(weights):
        return picture, None
    return picture, read_sources(weights["write_weights"], weights["read_weights"])


@torch.no_grad()
def lookup_of(model: nn.Module, task: Task, *, seed: int) -> tuple[StoryPicture, Lookup] | None:
    """Let a network answer one test question about a story, and return where it looked.

    Args:
        model: a trained network, in evaluation mode.
        task: the source of the question.
        seed: seed of the data.

    Returns:
        The story with the network's answer, and its look-up, a batch of one; None if the task has no stories, the network is
        no memory network, or the story has no sentences.
    """
    if not isinstance(task, TellsStories) or not isinstance(model, LooksUp):
        return None
    batch = draw_batch(task, model, 0, 1, seed=seed, split="picture")
    outputs, looked = model(batch.kind.move(batch.inputs, device=place_of(model)[0]), lengths=batch.lengths)
    picture = task.story(batch, outputs.cpu())
    return (picture, looked) if picture.sentences else None


def curve_of(model: nn.Module, task: Task, *, sequences: int | None, seed: int) -> ScoreCurve | None:
    """Score a network on test sequences at each place of the task's curve; return None if the task has no curve.

    Args:
        model: a trained network.
        task: the source of the sequences.
        sequences: number of sequences; None means all of a finite test split, otherwise 100.
        seed: seed of the data.
    """
    if not isinstance(task, Curved):
        return None
    return task.curve(tallied(model, task, sequences=sequences, seed=seed, split="test"))
