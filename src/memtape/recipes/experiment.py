"""Experiment: a model on a task with all settings, as a value that can be written down and built again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from memtape.core.task import Task
from memtape.recipes.registry import Entry, find
from memtape.training.settings import TrainSettings


class ExperimentError(ValueError):
    """Settings that no experiment can be built from; the sentence says which and why."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A model, a task, how to train, and the seed: everything that a run depends on but the machine."""

    model: str
    task: str
    model_options: Mapping[str, Any]
    task_options: Mapping[str, Any]
    train: TrainSettings
    seed: int = 0
    recipe: str | None = None

    def build(self) -> tuple[nn.Module, Task]:
        """Make the network, with weights drawn from the seed, and the task.

        Raises:
            ExperimentError: an option that does not exist or has a value that cannot be.
        """
        task = _construct(find("task", self.task), self.task_options)
        torch.manual_seed(self.seed)
        sizes = (task.input_size, task.output_size)
        return _construct(find("model", self.model), self.model_options, *sizes), task

    def config(self) -> dict[str, Any]:
        """Return the experiment as plain values, for a JSON file."""
        return asdict(self)

    def options(self) -> dict[str, Any]:
        """Return model, task, seed, and all settings by name, such as "model.slots"."""
        parts = {"model": self.model_options, "task": self.task_options, "train": asdict(self.train)}
        named = {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}
        return {"model": self.model, "task": self.task, "seed": self.seed, **named}

    @classmethod
    def from_config(cls, config: Any) -> "Experiment":
        """Read an experiment back.

        Raises:
            ExperimentError: the values are not those of an experiment.
        """
        try:
            return cls(**{**config, "train": TrainSettings(**config["train"])})
        except (TypeError, KeyError, ValidationError) as error:
            raise ExperimentError(
                f"the configuration is not that of an experiment ({first_line(error)}); restore config.json from its run"
            ) from None


def settings_from(values: Mapping[str, Any]) -> TrainSettings:
    """Return checked training settings.

    Raises:
        ExperimentError: a value out of its range.
    """
    try:
        return TrainSettings(**values)
    except ValidationError as error:
        raise ExperimentError(f"a training setting cannot be used: {first_line(error)}; give another value") from None


def first_line(error: Exception) -> str:
    """Return an exception as one line; of a validation, the first field that failed and why."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        return f"{name} is {first['input']!r}, {first['msg']}" if name else first["msg"]
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _construct(entry: Entry, options: Mapping[str, Any], *sizes: int) -> Any:
    known = {option.name for option in entry.options}
    for name in options:
        if name not in known:
            raise ExperimentError(f"{entry.name} has no option {name}; its options are {', '.join(sorted(known))}")
    try:
        return entry.load()(*sizes, **options)
    except (TypeError, ValueError) as error:
        raise ExperimentError(first_line(error)) from None
