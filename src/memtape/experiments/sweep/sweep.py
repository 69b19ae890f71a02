"""Sweeping: train many seeds, of one configuration or of those that a search proposes, and survive what happens meanwhile.

sweep.json         what is swept; a sweep that goes on must be the same
journal.jsonl      optuna's journal: what was proposed, and what came of it
configurations/    a folder for each: configuration.toml, and for each seed its run folder, its log, and why it failed if it did
report.json        rows and summaries
best.toml          the best configuration, for --config
learning_curves    PNG and SVG
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

from memtape.catalog.registry import find
from memtape.core.atomic_write import write_atomically
from memtape.core.errors import RequestError
from memtape.core.score import Score
from memtape.experiments.configuration_file import as_toml
from memtape.experiments.experiment import Experiment
from memtape.experiments.file_lock import file_lock
from memtape.experiments.run_folder.folder import Run, RunError
from memtape.experiments.run_folder.schema import has_scores
from memtape.experiments.sweep.proposals import Proposals
from memtape.experiments.sweep.search_space import Space, Value, with_options
from memtape.experiments.sweep.workers import Training, run_trainings

LOCK = "sweep.lock"


class SweepError(RequestError):
    """A sweep that cannot be carried out; the sentence says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a sweep trains.

    Args:
        experiment: the configuration to begin from; its seed plays no part.
        seeds: the seeds of every configuration.
        space: the options to vary; None for the one configuration.
        sampler_seed: seed of what is proposed.
    """

    experiment: Experiment
    seeds: tuple[int, ...]
    space: Space | None = None
    sampler_seed: int = 0

    def record(self) -> dict[str, Any]:
        """Return the plan as plain values, for a JSON file."""
        experiment = {name: value for name, value in self.experiment.config().items() if name != "seed"}
        space = None if self.space is None else asdict(self.space)
        record = {**experiment, "seeds": self.seeds, "space": space, "sampler_seed": self.sampler_seed}
        return json.loads(json.dumps(record))


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One configuration of a sweep, with a training for each seed."""

    number: int
    values: Mapping[str, Value]
    """What was proposed, by names such as "train.learning_rate"."""
    experiment: Experiment
    folder: Path
    trainings: Mapping[int, Training]
    """By seed."""

    @property
    def value(self) -> float:
        """The median over seeds of the first score of the best validation, its sign turned where more is better.

        Less is better, and a training that failed counts as infinite.
        """
        first = self.scored[0]
        return median(
            math.inf
            if (result := result_of(training, self.scored)) is None
            else first.cost(result["scores"][first.name])
            for training in self.trainings.values()
        )

    @property
    def scored(self) -> tuple[Score, ...]:
        """The scores of the task."""
        scored: tuple[Score, ...] = find("task", self.experiment.task).load().scored
        return scored


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who is told what happens while a sweep goes on."""

    ended: Callable[[Configuration, int], None]
    """Receives configuration and seed of each training as it ends."""
    killed: Callable[[Configuration, int, str], None]
    """Receives configuration and seed of each training that was killed and goes on, and by what it was; called in threads."""


def sweep(plan: Plan, folder: Path, *, jobs: int, stop: Event, listener: Listener) -> list[Configuration] | None:
    """Carry a sweep out in a folder, or go on with the one that was begun there.

    Configurations are proposed in rounds that keep all jobs busy, each when the one before has ended: so what is proposed does
    not depend on which training is the faster one.

    Args:
        plan: what to train.
        folder: where; new, empty, or of a sweep with the same plan.
        jobs: how many trainings at a time.
        stop: once set, trainings are ended and the sweep is left for later.
        listener: who is told what happens.

    Returns:
        All configurations, each once; None if the sweep was stopped before its end.

    Raises:
        SweepError: the folder holds something else or another sweep, or another process is at work there.
        SpaceError: optuna is needed, and not installed.
        OSError: the disk is full or fails; what was there before is untouched.
    """
    _make_folder(folder)
    with file_lock(folder / LOCK) as lock:
        if lock is None:
            raise SweepError(f"another process sweeps in {folder}; wait for its end, or give --out another name")
        _check_plan(plan, folder)
        return _train_configurations(plan, folder, jobs, stop, listener)


def result_of(training: Training, scored: Sequence[Score]) -> dict[str, Any] | None:
    """Return how a training ended; None if it failed.

    Raises:
        RunError: its result.json does not say it, or lacks a score of the task.
    """
    if not training.finished:
        return None
    file = training.folder / "result.json"
    result: dict[str, Any] = Run(training.folder).parsed(file.name, file.read_bytes())
    names = [score.name for score in scored]
    if not has_scores(result["scores"], names):
        raise RunError(f"{file} has not the scores {', '.join(names)}; restore it or train again")
    return result


def default_sweep_folder(model: str, task: str) -> Path:
    """Return a new name for a sweep under `runs/`, by model, task and time."""
    return Path("runs") / f"sweep-{model}-{task}-{datetime.now():%Y%m%d-%H%M%S}"


def _train_configurations(
    plan: Plan, folder: Path, jobs: int, stop: Event, listener: Listener
) -> list[Configuration] | None:
    if plan.space is None:
        only = [_configuration(plan, folder, 0, {})]
        return only if _train(only, jobs, stop, listener) else None
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
    """Return what was proposed; a configuration that was proposed before keeps its first number, and so its trainings."""
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
        trainings={
            seed: Training(words=(*words, "--seed", str(seed)), folder=place / f"seed{seed}") for seed in plan.seeds
        },
    )


def _train(configurations: Sequence[Configuration], jobs: int, stop: Event, listener: Listener) -> bool:
    """Train all seeds of some configurations; return whether all have ended."""
    places: dict[Training, tuple[Configuration, int]] = {}
    for configuration in {one.number: one for one in configurations}.values():
        remark = f"Configuration {configuration.number} of a sweep."
        write_atomically(
            configuration.folder / "configuration.toml", as_toml(configuration.experiment, remark).encode()
        )
        places |= {training: (configuration, seed) for seed, training in configuration.trainings.items()}
    new = [training for training in places if not training.ended]
    run_trainings(
        new,
        jobs=jobs,
        stop=stop,
        ended=lambda training: listener.ended(*places[training]),
        killed=lambda training, by: listener.killed(*places[training], by),
    )
    return all(training.ended for training in places)


def _make_folder(folder: Path) -> None:
    """Make the folder, or refuse one that holds something, but no sweep."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        begun = (folder / "sweep.json").is_file()
        foreign = not begun and any(path.name != LOCK and path.suffix != ".partial" for path in folder.iterdir())
        if not foreign:
            (folder / LOCK).touch()
    except OSError as error:
        raise SweepError(
            f"the sweep's folder {folder} cannot be made ({error.strerror}); give --out a place that you can write to"
        ) from None
    if foreign:
        raise SweepError(f"{folder} is neither empty nor the folder of a sweep; give --out another name or remove it")


def _check_plan(plan: Plan, folder: Path) -> None:
    """Write down what is swept, or refuse to go on with something else.

    Raises:
        SweepError: the folder's sweep was begun with another plan, or its sweep.json is damaged.
    """
    file = folder / "sweep.json"
    if not file.is_file():
        write_atomically(file, f"{json.dumps(plan.record(), indent=2)}\n".encode())
        return
    try:
        before, now = _flat(json.loads(file.read_text())), _flat(plan.record())
    except (ValueError, AttributeError, RecursionError):
        raise SweepError(f"{file} is no JSON of a sweep; restore the file, or give --out another name") from None
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            raise SweepError(
                f"the sweep in {folder} was begun with {name} {before.get(name)!r}, but it is {now.get(name)!r} now; "
                "give the same as before to go on, or another --out to begin anew"
            )


def _flat(values: Any, above: str = "") -> dict[str, Any]:
    """Return nested values by their path."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return flat
