"""Search space: the options that a sweep varies, and their possible values."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Literal, get_args, get_origin

from memtape.catalog.options import Option, options_of_record
from memtape.catalog.registry import find, hint
from memtape.core.errors import RequestError
from memtape.core.given_path import read_given
from memtape.core.plain_type import is_of
from memtape.core.text_file import decoded
from memtape.experiments.experiment import Experiment, ExperimentError, settings_from
from memtape.training.settings import TrainSettings

LARGEST_FILE = 2**20
"""Largest size of a file in bytes, far above what options and their values need."""
LARGEST_INTEGER = 2**53
"""Largest integer up to which floats, with which proposals are computed, are exact."""

PARTS = {"model": "model_options", "task": "task_options", "train": "train"}
"""Tables of a space, and the fields of an experiment with their options."""

Value = bool | int | float | str


class SpaceError(RequestError):
    """A space that cannot be searched; the message states the reason and the cure."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A list of values without an order."""

    values: tuple[Value, ...]

    @property
    def samples(self) -> tuple[Value, ...]:
        """All of them."""
        return self.values


@dataclass(frozen=True, kw_only=True)
class Range:
    """All numbers from `low` to `high`, both included; integers if `integer`, evenly over their logarithms if `log`."""

    low: int | float
    high: int | float
    log: bool
    integer: bool

    @property
    def samples(self) -> tuple[Value, ...]:
        """Both ends of the range, which are the values to check."""
        return (self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class Space:
    """The options that a sweep varies.

    Args:
        trials: how many configurations to try.
        options: possible values of each option, by a name such as "train.learning_rate".
    """

    trials: int
    options: Mapping[str, Choices | Range]

    @classmethod
    def read(cls, file: Path, experiment: Experiment) -> "Space":
        """Read a space from a TOML file, and check each of its values in the experiment.

        Raises:
            SpaceError: the file is not a space, an option does not exist, or a value is invalid.
        """
        table = _table(file)
        trials = table.pop("trials", None)
        if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
            raise SpaceError(
                f"trials in {file} is {shortened(trials)}, but it must be an integer of at least 1; "
                "write trials = 20 at the top"
            )
        for name in table:
            if name not in PARTS:
                raise SpaceError(f"{file} has a table [{name}], but no experiment has; {hint('table', name, PARTS)}")
        options = {name: _allowed(file, name, *pair) for name, *pair in _named(file, table, experiment)}
        if not options:
            raise SpaceError(f"{file} varies no option; write a table [model], [task] or [train] with one or more")
        space = cls(trials=trials, options=options)
        space._refuse_unfit(file, experiment)
        return space

    def _refuse_unfit(self, file: Path, experiment: Experiment) -> None:
        for name, allowed in self.options.items():
            for value in allowed.samples:
                try:
                    with_options(experiment, {name: value}).build()
                except ExperimentError as error:
                    raise SpaceError(f"{name} = {shortened(value)} in {file} does not fit: {error}") from None


def with_options(experiment: Experiment, values: Mapping[str, Value]) -> Experiment:
    """Return an experiment with other values of some options, by names such as "train.learning_rate".

    Raises:
        ExperimentError: a training setting is out of its range.
    """
    config = asdict(experiment)
    for name, value in values.items():
        part, _, option = name.partition(".")
        config[PARTS[part]][option] = value
    return replace(experiment, **{**config, "train": settings_from(config["train"])})


def _table(file: Path) -> dict[str, Any]:
    try:
        content = read_given(file, most=LARGEST_FILE + 1)
    except OSError as error:
        raise SpaceError(f"the file {file} cannot be read ({error.strerror}); give --space a TOML file") from None
    if len(content) > LARGEST_FILE:
        raise SpaceError(f"the file {file} has more than {LARGEST_FILE} bytes; give --space one with options only")
    try:
        return tomllib.loads(decoded(content))
    except (ValueError, RecursionError) as error:  # tomllib raises these for too many digits or brackets
        raise SpaceError(f"the file {file} is not TOML ({error}); correct it there") from None


def _named(file: Path, table: Mapping[str, Any], experiment: Experiment) -> Iterator[tuple[str, Option, Any]]:
    """Yield each option of the file with its values in the file."""
    known = {
        "model": find("model", experiment.model).options,
        "task": find("task", experiment.task).options,
        "train": options_of_record(TrainSettings),
    }
    for part, values in table.items():
        if not isinstance(values, dict):
            raise SpaceError(
                f"{part} in {file} is {shortened(values)}, but it must be a table; write [{part}] and its options"
            )
        options = {option.name: option for option in known[part]}
        for name, given in values.items():
            if name not in options:
                raise SpaceError(f'there is no option "{name}" for [{part}] in {file}; {hint("option", name, options)}')
            yield f"{part}.{name}", options[name], given


def _allowed(file: Path, name: str, option: Option, given: Any) -> Choices | Range:
    """Return the values that the file allows an option."""
    numbers = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    if any(is_of(int, number) and abs(number) > LARGEST_INTEGER for number in numbers):
        raise SpaceError(
            f"{name} in {file} is {shortened(given)}, but an integer in a space is at most {LARGEST_INTEGER}; "
            "give smaller ones"
        )
    if isinstance(given, list) and given:
        for value in given:
            if not is_of(option.type, value):
                raise SpaceError(
                    f"{name} in {file} may be {shortened(value)}, but it is {_kinds(option.type)}; correct the value"
                )
        values = tuple(_exact(value, option.type) for value in given)
        if len(set(values)) < len(values):
            raise SpaceError(f"{name} in {file} is {shortened(given)}, which has a value twice; name each value once")
        return Choices(values=values)
    if not isinstance(given, dict) or not {"low", "high"} <= given.keys() <= {"low", "high", "log"}:
        raise SpaceError(
            f"{name} in {file} is {shortened(given)}, but it must be a list of values or a range; "
            "write [1, 2, 3] or {low = 1, high = 3}, with log = true if you like"
        )
    low, high, log = given["low"], given["high"], given.get("log", False)
    if not all(is_of(float, end) and is_of(option.type, end) for end in (low, high)):
        raise SpaceError(
            f"{name} in {file} ranges from {shortened(low)} to {shortened(high)}, but it is {_kinds(option.type)}; "
            "give ends that fit, or a list"
        )
    if not isinstance(log, bool) or low > high or (log and low <= 0):
        raise SpaceError(
            f"{name} in {file} ranges from {low} to {high} with log = {log!r}, but low must not be above high, and positive "
            "where log is true; correct the range"
        )
    return Range(
        low=_exact(low, option.type), high=_exact(high, option.type), log=log, integer=not is_of(option.type, 0.5)
    )


def _exact(value: Any, kind: Any) -> Any:
    """Return a valid value, converted to the option's type: a file may contain 1 for 1.0."""
    return float(value) if is_of(float, value) and is_of(kind, 0.5) else value


def _kinds(kind: Any) -> str:
    """Return an option's type in words."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    names = {int: "an integer", float: "a number", bool: "true or false", str: "a text"}
    return " or ".join(names[one] for one in get_args(kind) or (kind,) if one in names)
