"""Experiment: a model on a task with all settings, as a value that can be saved and rebuilt."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from reprlib import repr as shortened
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from memtape.catalog.entry import PluginError
from memtape.catalog.registry import MODELS, TASKS, Entry, find
from memtape.core import checks
from memtape.core.errors import RequestError
from memtape.core.integers import shown
from memtape.core.plain_type import is_of
from memtape.core.task import Task
from memtape.sharing.blueprint import MisfitError, build
from memtape.training.compatibility import check_compatible
from memtape.training.network_traits import input_kind, sees_ahead
from memtape.training.settings import TrainSettings

FORM = {
    "model": str,
    "task": str,
    "model_options": dict,
    "task_options": dict,
    "seed": int,
    "recipe": str | None,
    "weights": str | None,
}
"""The keys of a configuration, besides the training settings."""

BESIDE = ("plugins", "data", "fitted")
"""Keys of a configuration that describe the run and not the experiment."""

LARGEST_SEED = 2**62
"""Largest absolute value of a seed; generators take 64 bits, and restarts add to the seed."""


class ExperimentError(RequestError):
    """Settings from which no experiment can be built; the message states which and why."""


@dataclass(frozen=True)
class InitialWeights:
    """The weights of a finished run, from which an experiment starts."""

    tensors: Mapping[str, Tensor]
    vocabulary: Sequence[str] | None
    """The name of each symbol of its task; None without symbols."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A model, a task, training settings and a seed: everything that a run depends on except the machine."""

    model: str
    task: str
    model_options: Mapping[str, Any]
    task_options: Mapping[str, Any]
    train: TrainSettings
    seed: int = 0
    recipe: str | None = None
    weights: str | None = None
    """Run folder whose weights it starts from; None for weights drawn from the seed."""

    def __post_init__(self) -> None:
        """Check the numbers that a later command could not read again.

        Raises:
            ExperimentError: the seed is too large, or an option is not finite.
        """
        check_seed(self.seed)
        for options in (self.model_options, self.task_options):
            try:
                checks.finite_options(options)
            except ValueError as error:
                raise ExperimentError(str(error)) from None

    def build(self, initial: InitialWeights | None = None) -> tuple[nn.Module, Task]:
        """Build the network and the task.

        With the weights of a run, the task keeps the symbols of that run, and the network has more of them if the task has
        words that are new to it.

        Args:
            initial: the weights of the run that `weights` names; None if it names none.

        Raises:
            ExperimentError: an option does not exist or has an invalid value, the weights belong to another network, or the
                symbols of their run have other meanings.
            SettingsError: a training setting has no effect on this model or this task.
            ValueError: `initial` is given, but `weights` names no run, or the reverse.
        """
        if (self.weights is None) != (initial is None):
            raise ValueError(f"weights is {self.weights!r}; pass the weights of that run, or none if it is None")
        task = self.build_task(None if initial is None else initial.vocabulary)
        sizes = (task.input_size, task.output_size)
        model = self.new_network(*sizes) if initial is None else self._network_with(initial, task)
        check_compatible(model, task, self.train)
        return model, task

    def new_network(self, input_size: int, output_size: int) -> nn.Module:
        """Build the network with weights drawn from the seed.

        Raises:
            ExperimentError: an option that does not exist or has a value that cannot be.
        """
        torch.manual_seed(self.seed)
        network: nn.Module = _construct(find("model", self.model), self.model_options, input_size, output_size)
        return network

    def _network_with(self, initial: InitialWeights, task: Task) -> nn.Module:
        if self.train.restarts:
            raise ExperimentError(
                f"restarts is {self.train.restarts}, but with the weights of {self.weights} every restart is the same; "
                "leave one out"
            )
        before, now = tuple(initial.vocabulary or ()), task.vocabulary or ()
        known, symbols = len(before), len(now)
        if before and now and now[:known] != before:
            raise ExperimentError(
                f"the symbols of {self.task} have other meanings than the {known} of {self.weights}; give it the data of that "
                "run, or leave --weights out"
            )
        grows = 0 < known < symbols and hasattr(find("model", self.model).load(), "with_symbols")
        sizes = (known, known) if grows else (task.input_size, task.output_size)
        try:
            network: Any = self.build_network(initial.tensors, *sizes)
            torch.manual_seed(self.seed)
            grown: nn.Module = network.with_symbols(symbols) if grows else network
        except MisfitError as error:
            raise ExperimentError(
                f"the weights of {self.weights} belong to another network ({error}); "
                "give the model the options of that run"
            ) from None
        except ValueError as error:
            raise ExperimentError(first_line(error)) from None
        return grown

    def build_task(self, known: Sequence[str] | None = None) -> Task:
        """Build the task only, for a model that it fits.

        Args:
            known: a vocabulary whose symbols the task keeps; None for its own.

        Raises:
            ExperimentError: an option does not exist or has an invalid value, the model reads another kind of input, or the
                vocabulary is that of another kind of task.
        """
        entry = find("task", self.task)
        check_reads(find("model", self.model).load(), entry.load(), reader=self.model, source=self.task)
        task: Task = _construct(entry, self.task_options)
        if known is not None:
            try:
                task = task.with_vocabulary(known)
            except ValueError as error:
                raise ExperimentError(first_line(error)) from None
        return task

    def build_network(self, weights: Mapping[str, Tensor], input_size: int, output_size: int) -> nn.Module:
        """Build the network with weights from a file.

        Memory is allocated only after a check that the weights fit, whatever sizes the options name.

        Raises:
            ExperimentError: an option that does not exist or has a value that cannot be.
            MisfitError: the weights belong to another network.
        """
        entry = find("model", self.model)
        _check_names(entry, self.model_options)
        arguments = {"input_size": input_size, "output_size": output_size, **self.model_options}
        network: nn.Module = build(entry.load(), arguments, weights)
        return network

    def config(self) -> dict[str, Any]:
        """Return the experiment as plain values, for a JSON file, with the plugins that it needs by name."""
        named = {"model": MODELS.get(self.model), "task": TASKS.get(self.task)}
        plugins = {f"{kind} {entry.name}": entry.plugin for kind, entry in named.items() if entry and entry.plugin}
        return {**asdict(self), **({"plugins": plugins} if plugins else {})}

    def options(self) -> dict[str, Any]:
        """Return model, task, seed, and all settings by name, such as "model.slots"."""
        parts = {"model": self.model_options, "task": self.task_options, "train": asdict(self.train)}
        named = {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}
        return {"model": self.model, "task": self.task, "seed": self.seed, **named}

    @classmethod
    def from_config(cls, config: Any) -> "Experiment":
        """Read an experiment from the values that `config` returned.

        Raises:
            ExperimentError: the values are not those of an experiment.
            PluginError: a plugin of the experiment is missing.
        """
        try:
            values = {name: value for name, value in config.items() if name not in BESIDE}
            experiment = cls(**{**values, "train": TrainSettings(**config["train"])})
            for name, kind in FORM.items():
                if not is_of(kind, value := getattr(experiment, name)):
                    raise TypeError(f"{name} is {shortened(value)}")
            plugins = config.get("plugins", {})
            if not isinstance(plugins, dict):
                raise TypeError(f"plugins is {shortened(plugins)}")
        except (AttributeError, TypeError, KeyError, ValueError) as error:  # pydantic's errors are ValueErrors
            raise ExperimentError(
                f"the configuration is not that of an experiment ({first_line(error)}); restore config.json from its run"
            ) from None
        _check_plugins(experiment, plugins)
        return experiment


def check_reads(model: nn.Module | type, task: Task | type[Task], *, reader: str, source: str) -> None:
    """Raise an error unless a network reads what a task gives, and is not given the answers.

    Args:
        model: the network or its class.
        task: the task or its class.
        reader: name of the network.
        source: name of the task.

    Raises:
        ExperimentError: they do not fit.
    """
    reads = input_kind(model)
    if reads not in task.input_kinds:
        raise ExperimentError(
            f"{reader} reads {reads}, but {source} gives {' or '.join(task.input_kinds)}; choose another model or task"
        )
    if sees_ahead(model) and task.inputs_repeat_targets:
        raise ExperimentError(
            f"{reader} reads in both directions, but {source} predicts the next input, which it would receive;"
            " choose another model or task"
        )
    if sees_ahead(model) and task.interactive:
        raise ExperimentError(
            f"{reader} reads in both directions, but inputs of {source} depend on earlier outputs; choose another "
            "model or task"
        )


def check_seed(seed: int) -> None:
    """Raise an error for a seed that generators cannot take.

    Raises:
        ExperimentError: the seed is too large.
    """
    if isinstance(seed, int) and abs(seed) > LARGEST_SEED:
        raise ExperimentError(f"seed is {shortened(seed)}, beyond {LARGEST_SEED}; give a smaller one")


def _check_plugins(experiment: Experiment, plugins: Mapping[str, Any]) -> None:
    """Raise an error if a plugin of an experiment is missing; the recorded plugin is never imported.

    Raises:
        PluginError: names each missing plugin.
    """
    missing = [
        f'the {kind} "{name[:80]}" comes from the plugin {str(plugins[f"{kind} {name}"])[:80]}'
        for kind, name, known in (("model", experiment.model, MODELS), ("task", experiment.task, TASKS))
        if name not in known and f"{kind} {name}" in plugins
    ]
    if missing:
        raise PluginError(
            f"{' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} missing; give each by --plugin FILE.py "
            "or in MEMTAPE_PLUGINS, or install its package"
        )


def settings_from(values: Mapping[str, Any]) -> TrainSettings:
    """Return checked training settings.

    Raises:
        ExperimentError: a value is out of its range.
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
        return f"{name} is {shown(first['input'])}, {first['msg']}" if name else first["msg"]
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _check_names(entry: Entry, options: Mapping[str, Any]) -> None:
    known = {option.name for option in entry.options}
    for name in options:
        if name not in known:
            raise ExperimentError(f"{entry.name} has no option {name[:80]}; its options are {', '.join(sorted(known))}")


def _construct(entry: Entry, options: Mapping[str, Any], *sizes: int) -> Any:
    _check_names(entry, options)
    try:
        return entry.load()(*sizes, **options)
    except (TypeError, ValueError) as error:
        raise ExperimentError(first_line(error)) from None
    except (
        ArithmeticError,
        RuntimeError,
        MemoryError,
    ) as error:  # raised by torch for sizes and numbers beyond its limits
        raise ExperimentError(
            f"{entry.name} cannot be built with these options ({first_line(error)}); give smaller ones"
        ) from None
