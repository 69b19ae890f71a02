"""Described experiment: describe a network and a task that a caller built, so that a run folder can build them again."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from memtape.catalog.entry import Entry
from memtape.catalog.registry import MODELS, TASKS
from memtape.core.given_path import given_path
from memtape.core.plain_type import is_of
from memtape.core.task import Task
from memtape.experiments.data_dir import with_absolute_files
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.sharing.blueprint import MisfitError, blueprint
from memtape.training.settings import TrainSettings

SIZES = ("input_size", "output_size")
"""Arguments of a network that follow from the task."""

CURE = "leave run_folder out"


def described_experiment(model: nn.Module, task: Task, settings: TrainSettings, seed: int) -> Experiment:
    """Return the experiment of a network and a task, from the arguments of their constructors.

    Args:
        model: a network of memtape or of a plugin.
        task: a task of memtape or of a plugin.
        settings: the training settings.
        seed: the seed.

    Raises:
        ExperimentError: one of the two is not in the catalog, or differs from what its arguments build.
    """
    model_entry, task_entry = _entry(MODELS, model, "model"), _entry(TASKS, task, "task")
    arguments: Mapping[str, Any] = getattr(model, "configuration", {})
    _check_network(model, arguments)
    task_options = {option.name: task.configuration[option.name] for option in task_entry.options}
    for option in task_entry.options:
        if not is_of(option.type, value := task_options[option.name]):
            raise ExperimentError(
                f"{option.name} of {type(task).__name__} is {value!r}, which config.json cannot hold; build it with a "
                f"{option.type}, or {CURE}"
            )
    _check_task(task)
    if task_options.get("data_dir") is not None:
        task_options["data_dir"] = str(given_path(task_options["data_dir"]).absolute())
    return Experiment(
        model=model_entry.name,
        task=task_entry.name,
        model_options={name: value for name, value in arguments.items() if name not in SIZES},
        task_options=with_absolute_files(task_options),
        train=settings,
        seed=seed,
    )


def _entry(known: Mapping[str, Any], thing: object, kind: str) -> Entry:
    name = type(thing).__name__
    for entry in known.values():
        if entry.class_name == name and entry.load() is type(thing):
            return entry
    raise ExperimentError(
        f"{name} is no {kind} of memtape or of a plugin, so a run folder could not build it again; {CURE}, or make it a "
        "plugin (docs/guides/plugins.md)"
    )


def _check_network(model: nn.Module, arguments: Mapping[str, Any]) -> None:
    name = type(model).__name__
    try:
        plain = blueprint(type(model), arguments, model.state_dict())
    except MisfitError as error:
        raise ExperimentError(
            f"{name} is not what its arguments build, so a run folder could not build it again ({error}); {CURE}"
        ) from None
    usual = {parameter: value.requires_grad for parameter, value in plain.named_parameters()}
    for parameter, value in model.named_parameters():
        if value.requires_grad != usual[parameter]:
            raise ExperimentError(
                f"requires_grad of {parameter} of {name} was changed, which a run folder does not record; {CURE}"
            )


def _check_task(task: Task) -> None:
    """Raise an error if a task was changed after it was built."""
    built = type(task)(**task.configuration)
    if task.vocabulary is not None:
        built = built.with_vocabulary(task.vocabulary)
    name, own, plain = type(task).__name__, vars(task), vars(built)
    for attribute in own.keys() | plain.keys():
        if isinstance(getattr(type(task), attribute, None), cached_property):
            continue
        if attribute not in own or attribute not in plain or not same(own[attribute], plain[attribute]):
            raise ExperimentError(
                f"{attribute} of {name} was changed after it was built, which a run folder does not record; give the "
                f"constructor another argument, or {CURE}"
            )


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal; tensors, arrays and the fields of records are compared element by element."""
    if type(one) is not type(other):
        return False
    match one:
        case Tensor():
            equal = one.dtype == other.dtype and torch.equal(one, other)
        case np.ndarray():
            equal = one.dtype == other.dtype and np.array_equal(one, other)
        case Mapping():
            equal = one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case list() | tuple():
            equal = len(one) == len(other) and all(map(same, one, other))
        case _ if hasattr(one, "__dict__") and not callable(one):
            equal = same(vars(one), vars(other))
        case _:
            equal = bool(one == other)
    return equal
