"""Fit checks: reject what cannot be trained or scored before the first step, each in one sentence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from memtape.catalog.unknown_name import hint
from memtape.core import state_tree
from memtape.core.errors import ReportedError
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.given_path import given_path
from memtape.core.task import Task
from memtape.experiments.experiment import ExperimentError, check_reads, check_seed, first_line, settings_from
from memtape.training.draw_batch import draw_batch
from memtape.training.network_traits import is_teacher_forced, place_of
from memtape.training.randomness import random_states, restore_random_states
from memtape.training.settings import SettingsError, TrainSettings

ROWS = 2
"""Number of sequences that are tried before training."""


def check_network_and_task(model: Any, task: Any, seed: Any) -> None:
    """Raise an error unless the arguments have their types, and the network reads what the task gives.

    Raises:
        TypeError: an argument has the wrong type.
        ExperimentError: the network reads other inputs than the task gives, or the seed is too large.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"model is {_named(model)}, but it must be a network; give a torch.nn.Module, such as memtape.NTM(9, 8)"
        )
    if not isinstance(task, Task):
        raise TypeError(f"task is {_named(task)}, but it must be a task; give one, such as memtape.Copy()")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed is {seed!r}, but it must be an integer; give one such as 0")
    check_seed(seed)
    check_reads(model, task, reader=type(model).__name__, source=type(task).__name__)


def checked_settings(settings: Any, options: Mapping[str, Any]) -> TrainSettings:
    """Return the settings of a training run: a record, single ones by name, or both.

    Raises:
        TypeError: `settings` is not a `TrainSettings`, or there is no setting of a name.
        ExperimentError: a value is out of its range.
    """
    if settings is not None and not isinstance(settings, TrainSettings):
        raise TypeError(
            f"settings is {_named(settings)}, but it must be a memtape.TrainSettings; give one, or single settings by name, "
            "such as steps=1000"
        )
    known = [field.name for field in fields(TrainSettings)]
    for name in options:
        if name not in known:
            raise TypeError(f"memtape.fit has no argument {name!r}; {hint('setting', name, known)}")
    given = {} if settings is None else {name: getattr(settings, name) for name in known}
    return settings_from({**given, **options})


def checked_folder(run_folder: Any, name: str = "run_folder") -> Path:
    """Return a path that a caller gave.

    Raises:
        TypeError: it is not a path.
        ValueError: it is empty, or no file can have this name.
    """
    if not isinstance(run_folder, (str, Path)):
        raise TypeError(f"{name} is {_named(run_folder)}, but it must be a path; give a str or a pathlib.Path")
    if not str(run_folder).strip() or "\0" in str(run_folder):
        raise ValueError(f"{name} is {str(run_folder)!r}, but it must name a folder; give a path such as runs/copy")
    return given_path(run_folder)


def try_one_batch(model: nn.Module, task: Task, settings: TrainSettings, seed: int) -> None:
    """Raise an error unless a network can be trained on a task: run both on a small batch, and score it.

    Network, random generators and modes are unchanged afterwards.

    Raises:
        ExperimentError: the network cannot be called, has no parameter to train, or has outputs of another size; or the
            loss or the scores fail.
        SettingsError: a state is to be carried, but the network returns none.
    """
    name, source = type(model).__name__, type(task).__name__
    if settings.optimizer != "ridge" and not any(parameter.requires_grad for parameter in model.parameters()):
        raise ExperimentError(
            f"{name} has no parameter that requires a gradient, so there is nothing to train; call requires_grad_() on some"
        )
    with random_states_kept(), evaluation_mode(model), torch.no_grad():
        with _as_one_sentence(f"{source} gives no batch"):
            batch = draw_batch(task, model, 0, min(ROWS, settings.batch_size), seed=seed)
        device, _ = place_of(model)
        inputs = batch.kind.move(batch.inputs, device=device)
        told = {"targets": batch.targets.to(device)} if is_teacher_forced(model) else {}
        with _as_one_sentence(f"{name} cannot be called as model(inputs, lengths=lengths) on a batch of {source}"):
            returned = model(inputs, lengths=batch.lengths, **told)
        if not (isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], Tensor)):
            raise ExperimentError(
                f"{name} returned {_named(returned)}, but a network returns a pair of outputs and state; return "
                "(outputs, state), or (outputs, None) without a state"
            )
        outputs, state = returned
        if outputs.shape[-1:] != (task.output_size,):
            raise ExperimentError(
                f"{name} has outputs of shape {tuple(outputs.shape)}, but {source} needs {task.output_size} in the last axis; "
                "build the network with task.input_size and task.output_size"
            )
        with _as_one_sentence(f"{source} cannot score the outputs of {name}, of shape {tuple(outputs.shape)}"):
            task.loss(outputs.cpu(), batch)
            scores = task.scores_of(task.tally(outputs.cpu(), batch))
        if missing := [score.name for score in task.scored if score.name not in scores]:
            raise ExperimentError(
                f"scores_of of {source} returns no {missing[0]!r}, which it lists in scored; return all scores that are listed"
            )
        _check_carried(model, settings, state)


def _check_carried(model: nn.Module, settings: TrainSettings, state: Any) -> None:
    asked = {"carry": settings.carry, "tbptt": settings.tbptt}
    for name, value in asked.items():
        if value and not (state is not None and state_tree.leaves(state)):
            raise SettingsError(
                f"{name} is {value}, but {type(model).__name__} returns no state that could be passed on; leave it out, or "
                "return the state and take it as second argument"
            )


@contextmanager
def random_states_kept() -> Iterator[None]:
    """Restore the random generators of the process at the end."""
    kept = random_states()
    try:
        yield
    finally:
        restore_random_states(*kept)


@contextmanager
def _as_one_sentence(beginning: str) -> Iterator[None]:
    """Turn any error of a network or a task into one sentence, with the error as its cause."""
    try:
        yield
    except ReportedError:
        raise
    except Exception as error:
        raise ExperimentError(f"{beginning} ({type(error).__name__}: {first_line(error)}); correct it there") from error


def _named(value: Any) -> str:
    """Return a value in a few words: a class by its name, anything else by its type."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return (
        repr(value)
        if isinstance(value, (int, float, str, bytes, bool)) or value is None
        else f"a {type(value).__name__}"
    )
