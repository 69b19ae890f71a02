"""Compatibility: reject settings without effect on a network or a task, and sentences that it cannot read, before training."""

import inspect

from torch import nn

from memtape.core.inputs.registry import kind_named
from memtape.core.task import Task
from memtape.training.key_penalty import programs_with_keys
from memtape.training.network_traits import (
    has_linear_start,
    input_kind,
    is_teacher_forced,
    longest_sentence_read,
    sees_ahead,
)
from memtape.training.optim.closed_form import linearly_read
from memtape.training.optim.schedule import lengths_at
from memtape.training.optim.vanishing_penalty import plain_cells
from memtape.training.settings import SettingsError, TrainSettings


def check_compatible(model: nn.Module, task: Task, settings: TrainSettings) -> None:
    """Raise an error unless every setting has an effect on this network and this task, and it can read all sentences.

    Args:
        model: the network.
        task: the task.
        settings: the training settings.

    Raises:
        SettingsError: names the first setting without an effect, or a sentence is longer than the network reads.
    """
    _check_sentences(model, task)
    _check_time(model, settings)
    _check_teacher(model, settings)
    if settings.linear_start_steps and not has_linear_start(model):
        raise SettingsError(
            f"linear_start_steps is {settings.linear_start_steps}, but {_name(model)} has no hops with a softmax that could "
            "be left out; leave it out"
        )
    if task.interactive and (not _in_chunks(model) or is_teacher_forced(model)):
        raise SettingsError(
            f"{type(task).__name__} is interactive, but {_name(model)} cannot continue from a given state; "
            "choose another network"
        )
    if settings.optimizer == "ridge":
        linearly_read(model)
    if settings.vanishing_penalty:
        plain_cells(model, settings.vanishing_penalty)
    if settings.key_penalty:
        programs_with_keys(model, settings.key_penalty)
    if settings.restarts and settings.restart_score is None and task.stuck_at is None:
        raise SettingsError(
            f"restarts is {settings.restarts}, but the {task.scored[-1].label} that a training run on "
            f"{type(task).__name__} must reach by step {settings.restart_after} is not set; give restart_score"
        )
    first = lengths_at(0, task.lengths, settings, least=task.shortest_length())
    if first != task.lengths:
        try:
            task.batch(0, 1, lengths=first, input_kind=input_kind(model))
        except ValueError as error:
            raise SettingsError(f"the curriculum cannot start: {error}") from None
        if settings.curriculum_score is not None and task.available_within("validation", (first[1], first[1])) == 0:
            raise SettingsError(
                f"the curriculum cannot start: it validates at its longest length {first[1]}, for which "
                f"{type(task).__name__} has no validation sequences; choose another curriculum_max"
            )


def _check_sentences(model: nn.Module, task: Task) -> None:
    """Reject sentences that are longer than those that the network reads."""
    most, longest = longest_sentence_read(model), getattr(task, "longest_sentence", 0)
    if most is not None and longest > most:
        raise SettingsError(
            f"a sentence of {type(task).__name__} has {longest} words, but {_name(model)} reads sentences of up to {most}; "
            f"shorten it, or train a network with a sentence_size of {longest}"
        )


def _check_time(model: nn.Module, settings: TrainSettings) -> None:
    """Reject truncation, carried state and recomputation for a network that does not compute step by step."""
    asked = {"tbptt": settings.tbptt, "carry": settings.carry or None}
    for name, value in asked.items():
        if value is not None and not _in_chunks(model):
            kind = "reads in both directions" if sees_ahead(model) else f"reads {input_kind(model)}"
            raise SettingsError(
                f"{name} is {value}, but {_name(model)} {kind}, so no state is passed from step to step; leave it out"
            )
    if settings.checkpoint_every is None:
        return
    if is_teacher_forced(model) or "checkpoint_every" not in inspect.signature(model.forward).parameters:
        raise SettingsError(
            f"checkpoint_every is {settings.checkpoint_every}, but {_name(model)} has no separate steps in training that "
            "could be recomputed; leave it out"
        )


def _in_chunks(model: nn.Module) -> bool:
    """Return whether the network can pass its state from one chunk of its inputs to the next."""
    return kind_named(input_kind(model)).in_chunks and not sees_ahead(model)


def _check_teacher(model: nn.Module, settings: TrainSettings) -> None:
    if settings.teacher != "always" and not is_teacher_forced(model):
        raise SettingsError(
            f'teacher is "{settings.teacher}", but {_name(model)} receives no targets in training that its own outputs could '
            "replace; leave it out"
        )


def _name(model: nn.Module) -> str:
    return type(model).__name__
