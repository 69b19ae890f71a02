"""Inspection: watch a network work its memory, for the pictures of the papers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from memtape.core.graph_picture import GraphPicture, Pictured
from memtape.core.recurrent import Recurrent
from memtape.core.state import NoState
from memtape.core.task import Task
from memtape.memory import ContentState, DNCState, LinkState, TuringState
from memtape.models.machine.augmented import AugmentedState
from memtape.training.draw_batch import draw_batch
from memtape.viz.dnc_tape import DNCTape
from memtape.viz.looks import looks_of
from memtape.viz.tape import Tape


def tape_of(model: nn.Module, task: Task, *, length: int, seed: int) -> Tape | DNCTape | None:
    """Run a network on one test sequence and return what its heads did; None for a network without a tape, or a task of graphs.

    Args:
        model: a trained network that runs over sequences.
        task: where the sequence comes from.
        length: its length, in the task's unit.
        seed: seed of the data.

    Returns:
        A `DNCTape` if the memory is that of a Differentiable Neural Computer.
    """
    if isinstance(task, Pictured) or not isinstance(model, Recurrent):
        return None
    if not _with_tape(model.init_state(1)):
        return None
    batch = task.batch(0, 1, seed=seed, split="picture", lengths=(length, length))
    inputs = batch.inputs.to(next(model.parameters()).device)
    return watched(model, inputs, batch.targets, batch.mask)


@torch.no_grad()
def watched(model: Any, inputs: Tensor, targets: Tensor, scored: Tensor) -> Tape | DNCTape:
    """Run a network with a memory over a sequence, and return what its heads did.

    Args:
        model: a network of a controller and a memory, run over sequences.
        inputs: the sequence, in a batch of its own, on the network's device.
        targets: what is asked for.
        scored: where it is asked for.
    """
    outputs, _, states = model(inputs, collect=lambda state: state)
    told = _told(model, inputs)
    memory = states.memory
    tape = Tape(
        inputs=_first_row(inputs),
        outputs=_first_row(torch.sigmoid(outputs)),
        targets=_first_row(targets),
        scored=_first_row(scored),
        adds=_over_time(told, "add"),
        reads=_first_row(states.reads.unflatten(-1, (memory.read_weights.shape[2], -1))),
        write_weights=_first_row(memory.write_weights),
        read_weights=_first_row(memory.read_weights),
    )
    if not isinstance(memory, DNCState):
        return tape
    return DNCTape(
        tape=tape,
        write_gates=_over_time(told, "write_gates"),
        allocation_gates=_over_time(told, "allocation_gates"),
        free_gates=_over_time(told, "free_gates"),
        read_modes=_over_time(told, "read_modes"),
        usage=_first_row(memory.usage),
        links=_first_row(_last_links(memory)),
    )


@torch.no_grad()
def graph_of(model: nn.Module, task: Task, *, length: int, seed: int) -> tuple[GraphPicture, Any] | None:
    """Let a network answer one question about a graph; None if the task has no graphs or the network reads no sequences.

    Args:
        model: a trained network.
        task: where the question comes from.
        length: its lesson.
        seed: seed of the data.

    Returns:
        The picture, and what the read heads looked at as `graph_figure` takes it, None of a network without heads.
    """
    if not isinstance(task, Pictured) or not isinstance(model, Recurrent):
        return None
    batch = draw_batch(task, model, 0, 1, seed=seed, split="picture", lengths=(length, length))
    inputs = batch.inputs.to(next(model.parameters()).device)
    outputs, _, states = model(inputs, collect=lambda state: state)
    picture = task.picture(batch, outputs.cpu())
    if not _with_tape(states):
        return picture, None
    return picture, looks_of(_first_row(states.memory.write_weights), _first_row(states.memory.read_weights))


def _with_tape(state: Any) -> bool:
    """Tell whether a state says where its heads wrote; those of sparse memories do not."""
    return isinstance(state, AugmentedState) and isinstance(state.memory, DNCState | TuringState | ContentState)


def _told(model: Any, inputs: Tensor) -> list[Any]:
    """Return what the heads were told at each step, which is no part of the state."""
    state = model.init_state(len(inputs), device=inputs.device, dtype=inputs.dtype)
    told = []
    for x in inputs.unbind(1):
        told.append(model.cell.control(x, state))
        _, state = model.cell(x, state)
    return told


def _last_links(memory: DNCState) -> Tensor:
    """Return the links at the last step, batch first, as a matrix for each write head, none without links."""
    links = memory.links
    if isinstance(links, NoState):
        return memory.usage.new_zeros(len(memory.usage), 0, memory.usage.shape[-1], memory.usage.shape[-1])
    if isinstance(links, LinkState):
        return links.links[:, -1]
    values, places = links.values[:, -1], links.places[:, -1].round().long()
    return values.new_zeros(*values.shape[:-1], values.shape[-2]).scatter_add(-1, places, values)


def _over_time(told: Sequence[Any], name: str) -> Any:
    return _first_row(torch.stack([getattr(control, name) for control in told], dim=1))


def _first_row(values: Tensor) -> Any:
    return values[0].cpu().numpy()
