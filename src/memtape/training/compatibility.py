"""Compatibility: settings that have no effect on a network or a task are refused before training."""

import inspect

from torch import nn

from memtape.core.inputs.registry import kind_named
from memtape.core.task import Task
from memtape.training.network_traits import input_kind, is_teacher_forced, sees_ahead
from memtape.training.optim.closed_form import linearly_read
from memtape.training.optim.schedule import lengths_at
from memtape.training.optim.vanishing_penalty import plain_cells
from memtape.training.settings import SettingsError, TrainSettings


def check_compatible(model: nn.Module, task: Task, settings: TrainSettings) -> None:
    """Raise unless every setting means something for this network and this task.

    Args:
        model: the network.
        task: the task.
        settings: how it is to be trained.

    Raises:
        SettingsError: the first setting that does not.
    """
    _check_time(model, settings)
    _check_teacher(model, settings)
    if task.played and (not _in_chunks(model) or is_teacher_forced(model)):
        raise SettingsError(
            f"{type(task).__name__} is played step by step, but {_name(model)} cannot go on from a state of its own; "
            "choose another network"
        )
    if settings.optimizer == "ridge":
        linearly_read(model)
    if settings.vanishing_penalty:
        plain_cells(model, settings.vanishing_penalty)
    if settings.restarts and settings.restart_score is None and task.stuck_at is None:
        raise SettingsError(
            f"restarts is {settings.restarts}, but nothing says which {task.scored[-1].label} a training on "
            f"{type(task).__name__} must reach by update {settings.restart_after}; give restart_score"
        )
    first = lengths_at(0, task.lengths, settings, least=task.shortest_length())
    if first != task.lengths:
        try:
            task.batch(0, 1, lengths=first, input_kind=input_kind(model))
        except ValueError as error:
            raise SettingsError(f"the curriculum cannot begin: {error}") from None


def _check_time(model: nn.Module, settings: TrainSettings) -> None:
    """Refuse what cuts, carries or recomputes steps of a network that does not take them one after another."""
    asked = {"tbptt": settings.tbptt, "carry": settings.carry or None}
    for name, value in asked.items():
        if value is not None and not _in_chunks(model):
            kind = "reads from both ends" if sees_ahead(model) else f"reads {input_kind(model)}"
            raise SettingsError(
                f"{name} is {value}, but {_name(model)} {kind}, so that no state goes on from step to step; leave it out"
            )
    if settings.checkpoint_every is None:
        return
    if is_teacher_forced(model) or "checkpoint_every" not in inspect.signature(model.forward).parameters:
        raise SettingsError(
            f"checkpoint_every is {settings.checkpoint_every}, but {_name(model)} takes no single steps in training that "
            "could be recomputed; leave it out"
        )


def _in_chunks(model: nn.Module) -> bool:
    """Tell whether a state of the network goes on from one chunk of its inputs to the next."""
    return kind_named(input_kind(model)).in_chunks and not sees_ahead(model)


def _check_teacher(model: nn.Module, settings: TrainSettings) -> None:
    if settings.teacher != "always" and not is_teacher_forced(model):
        raise SettingsError(
            f'teacher is "{settings.teacher}", but {_name(model)} is given no true answers in training that its own could '
            "stand for; leave it out"
        )


def _name(model: nn.Module) -> str:
    return type(model).__name__
