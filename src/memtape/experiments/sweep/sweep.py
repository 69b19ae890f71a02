"""Sweep: train many seeds of one or of several proposed configurations, and continue after an interruption.

sweep.json         the plan; a sweep continues with the same plan only
journal.jsonl      optuna's journal: proposals and their values
configurations/    a folder for each: configuration.toml, and for each seed its run folder, its log, and the reason of
                   a failure
report.json        rows and summaries
best.toml          the best configuration, for --config
learning_curves    as PNG and SVG
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

from memtape.catalog.registry import find
from memtape.core.atomic_write import write_atomically
from memtape.core.errors import RequestError
from memtape.core.given_path import given_path
from memtape.core.score import Score
from memtape.experiments.configuration_file import as_toml
from memtape.experiments.experiment import Experiment
from memtape.experiments.file_lock import file_lock, owner_of
from memtape.experiments.run_folder.folder import RESULT, Run, RunError, moment
from memtape.experiments.run_folder.schema import has_scores
from memtape.experiments.sweep.proposals import Proposals
from memtape.experiments.sweep.search_space import Space, Value, with_options
from memtape.experiments.sweep.workers import Training, run_all

LOCK = "sweep.lock"


class SweepError(RequestError):
    """A sweep that cannot be run; the message states the reason and the cure."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a sweep: what it trains.

    Args:
        experiment: the configuration to start from; its seed is ignored.
        seeds: the seeds of every configuration.
        space: the options to vary; None without a search.
        each: without a search, values of options, such as {"task.numbers": "2"}; one configuration for each.
        sampler_seed: seed of the proposals.
    """

    experiment: Experiment
    seeds: tuple[int, ...]
    space: Space | None = None
    each: tuple[Mapping[str, Value], ...] = ({},)
    sampler_seed: int = 0

    def record(self) -> dict[str, Any]:
        """Return the plan as plain values, for a JSON file."""
        experiment = {name: value for name, value in self.experiment.config().items() if name != "seed"}
        space = None if self.space is None else asdict(self.space)
        record = {**experiment, "seeds": self.seeds, "space": space, "sampler_seed": self.sampler_seed}
        if self.each != ({},):
            record["each"] = self.each
        return json.loads(json.dumps(record))


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One configuration of a sweep, with a training run for each seed."""

    number: int
    values: Mapping[str, Value]
    """The proposed values, by names such as "train.learning_rate"."""
    experiment: Experiment
    folder: Path
    training_runs: Mapping[int, Training]
    """The training runs by seed."""

    @property
    def value(self) -> float:
        """The median over seeds of the first score of the best validation, negated if more is better.

        Less is better, and a failed training run counts as infinite.
        """
        first = self.scored[0]
        return median(
            math.inf
            if (result := result_of(training, self.scored)) is None
            else first.cost(result["scores"][first.name])
            for training in self.training_runs.values()
        )

    @property
    def scored(self) -> tuple[Score, ...]:
        """The scores of the task."""
        scored: tuple[Score, ...] = find("task", self.experiment.task).load().scored
        return scored


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Callbacks that a sweep calls while it runs."""

    ended: Callable[[Configuration, int], None]
    """Receives configuration and seed of each training run when it ends."""
    killed: Callable[[Configuration, int, str], None]
    """Receives configuration and seed of each killed training run that continues, and its signal; called in threads."""


def sweep(plan: Plan, folder: Path, *, jobs: int, stop: Event, listener: Listener) -> list[Configuration] | None:
    """Run a sweep in a folder, or continue the sweep in it.

    Configurations are proposed in rounds that keep all jobs busy, each after the previous round has ended. So proposals
    do not depend on which training run is faster.

    Args:
        plan: the plan.
        folder: a new or empty folder, or that of a sweep with the same plan.
        jobs: number of training runs at a time.
        stop: when set, training runs stop and the sweep can be continued later.
        listener: callbacks.

    Returns:
        All configurations, each once; None if the sweep was stopped before its end.

    Raises:
        SweepError: the folder has other files or another sweep, or another process uses it.
        SpaceError: optuna is needed but not installed.
        OSError: the disk is full or fails; earlier files are unchanged.
    """
    folder = given_path(folder)
    _make_folder(folder)
    with file_lock(folder / LOCK) as lock:
        if lock is None:
            raise SweepError(
                f"the sweep in {folder} belongs to {owner_of(folder / LOCK)}; wait for its end, or give --out another name"
            )
        _check_plan(plan, folder)
        return _train_configurations(plan, folder, jobs, stop, listener)


def result_of(training: Training, scored: Sequence[Score]) -> dict[str, Any] | None:
    """Return the outcome of a training run, or None if it failed.

    Raises:
        RunError: its result.json is invalid or lacks a score of the task.
    """
    if not training.finished:
        return None
    file = training.folder / RESULT
    result: dict[str, Any] = Run(training.folder).parsed(file.name, file.read_bytes())
    names = [score.name for score in scored]
    if not has_scores(result["scores"], names):
        raise RunError(f"{file} lacks the scores {', '.join(names)}; restore it or train again")
    return result


def default_sweep_folder(model: str, task: str) -> Path:
    """Return a new name for a sweep under `runs/`, by model, task and time, with random digits at the end."""
    return Path("runs") / f"sweep-{model}-{task}-{moment()}"


def _train_configurations(
    plan: Plan, folder: Path, jobs: int, stop: Event, listener: Listener
) -> list[Configuration] | None:
    if plan.space is None:
        listed = [_configuration(plan, folder, number, values) for number, values in enumerate(plan.each)]
        return listed if _train(listed, jobs, stop, listener) else None
    proposals = Proposals(folder / "journal.jsonl", plan.space, seed=plan.sampler_seed)
    at_once = -(-jobs // len(plan.seeds))
    while (first := proposals.answered()) < plan.space.trials:
        after = min((first // at_once + 1) * at_once, plan.space.trials)
        while len(proposals) < after:
            proposals.propose()
        proposed = _configurations(plan, folder, proposals)[first:after]
        if not _train(proposed, jobs, stop, listener):
            return None
        for number, configuration in enumerate(proposed, first):
            proposals.answer(number, configuration.value)
    return list({one.number: one for one in _configurations(plan, folder, proposals)}.values())


def _configurations(plan: Plan, folder: Path, proposals: Proposals) -> list[Configuration]:
    """Return the proposed configurations; a repeated proposal is the configuration of its first occurrence."""
    proposed = [proposals[number] for number in range(len(proposals))]
    return [_configuration(plan, folder, proposed.index(values), values) for values in proposed]


def _configuration(plan: Plan, folder: Path, number: int, values: Mapping[str, Value]) -> Configuration:
    place = folder / "configurations" / f"{number:04d}"
    experiment = with_options(plan.experiment, values)
    file = place / "configuration.toml"
    words = (experiment.model, experiment.task, "--config", str(file))
    return Configuration(
        number=number,
        values=values,
        experiment=experiment,
        folder=place,
        training_runs={
            seed: Training(words=(*words, "--seed", str(seed)), folder=place / f"seed{seed}") for seed in plan.seeds
        },
    )


def _train(configurations: Sequence[Configuration], jobs: int, stop: Event, listener: Listener) -> bool:
    """Train all seeds of some configurations; return whether all are done."""
    places: dict[Training, tuple[Configuration, int]] = {}
    for configuration in {one.number: one for one in configurations}.values():
        remark = f"Configuration {configuration.number} of a sweep."
        write_atomically(
            configuration.folder / "configuration.toml", as_toml(configuration.experiment, remark).encode()
        )
        places |= {training: (configuration, seed) for seed, training in configuration.training_runs.items()}
    new = [training for training in places if not training.ended]
    run_all(
        new,
        jobs=jobs,
        stop=stop,
        ended=lambda training: listener.ended(*places[training]),
        killed=lambda training, by: listener.killed(*places[training], by),
    )
    return all(training.ended for training in places)


def _make_folder(folder: Path) -> None:
    """Create the folder; raise an error if it has other files than those of a sweep."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        begun = (folder / "sweep.json").is_file()
        foreign = not begun and any(path.name != LOCK and path.suffix != ".partial" for path in folder.iterdir())
        if not foreign:
            (folder / LOCK).touch()
    except OSError as error:
        raise SweepError(
            f"the sweep's folder {folder} cannot be created ({error.strerror}); give --out a writable folder"
        ) from None
    if foreign:
        raise SweepError(f"{folder} is neither empty nor the folder of a sweep; give --out another name or remove it")


def _check_plan(plan: Plan, folder: Path) -> None:
    """Write the plan of a new sweep, or raise an error unless it equals that of the existing one.

    Raises:
        SweepError: the sweep in the folder has another plan, or its sweep.json is damaged.
    """
    file = folder / "sweep.json"
    if not file.is_file():
        write_atomically(file, f"{json.dumps(plan.record(), indent=2)}\n".encode())
        return
    try:
        before, now = _flat(json.loads(file.read_text())), _flat(plan.record())
    except (ValueError, AttributeError, RecursionError):
        raise SweepError(f"{file} is not JSON of a sweep; restore the file, or give --out another name") from None
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            raise SweepError(
                f"the sweep in {folder} was started with {name} {before.get(name)!r}, but it is {now.get(name)!r} now; "
                "give the same as before to continue, or another --out to start a new one"
            )


def _flat(values: Any, above: str = "") -> dict[str, Any]:
    """Return nested values by their path."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return flat
