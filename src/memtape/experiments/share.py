"""Share: save or push the network of a run, with a card of its training."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from memtape.catalog.registry import MODELS, TASKS
from memtape.core.given_path import given_path
from memtape.core.new_folder import new_folder
from memtape.core.score import Score
from memtape.experiments.data_dir import FILES
from memtape.experiments.experiment import Experiment
from memtape.experiments.open_run import open_run
from memtape.experiments.reproduction import data_of
from memtape.experiments.run_folder.data_of_run import recorded_data
from memtape.experiments.run_folder.folder import ENVIRONMENT, EVALUATION, RESULT, TAKEN, Run
from memtape.sharing.model_card import Training
from memtape.sharing.shared_folder import SharingError

CAPTIONS = {
    "memory": "One test sequence of {length} {unit}: inputs, outputs, and the views of the memory and its heads.",
    "graph": "A test graph of lesson {length}: the target paths and the predictions.",
    "lengths": "{score} by length, in {unit}; the lengths of training are shaded.",
}
"""Candidates for the figure of the card; the first one that exists is used."""


def save_run(folder: Path, target: Path) -> Path:
    """Write the network of a run to a new folder, with a card of its training; return that folder.

    Args:
        folder: the run folder.
        target: the new folder.

    Raises:
        ExperimentError: no experiment can be built from the configuration.
        PluginError: a plugin of the run is missing.
        RunError: the run does not exist or is damaged.
        SharingError: the new folder is not empty, or cannot be written.
    """
    target = given_path(target)
    name = target.absolute().name
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise SharingError(_taken(target))
        network, training = _opened(folder)
        with new_folder(target.absolute()) as partial:
            network.save_as(partial, name, training)
    except OSError as error:
        if error.errno in TAKEN:
            raise SharingError(_taken(target)) from None
        raise SharingError(
            f"{target} cannot be written ({error.strerror}); give a place that you can write to"
        ) from None
    return target


def _taken(target: Path) -> str:
    return f"{target} exists and is not an empty folder; give another name or remove it"


def push_run(folder: Path, repo_id: str, *, private: bool) -> str:
    """Push the network of a run to the hub, with a card of its training; return the URL of the commit.

    Args:
        folder: the run folder.
        repo_id: name of the repository.
        private: whether a new repository is private.

    Raises:
        ExperimentError: no experiment can be built from the configuration.
        PluginError: a plugin of the run is missing.
        RunError: the run does not exist or is damaged.
        SharingError: the hub rejects it or cannot be reached.
    """
    network, training = _opened(folder)
    return network.push_to_hub(repo_id, training=training, private=private or None)


def _opened(folder: Path) -> tuple[Any, Training]:
    run, experiment, network, task = open_run(folder, on_other_data=lambda _: None)  # the card describes the training
    return network, _training(run, experiment, task.scored[-1])


def _training(run: Run, experiment: Experiment, score: Score) -> Training:
    model, task = MODELS[experiment.model], TASKS[experiment.task]
    outcome, environment = run.read(RESULT), run.read(ENVIRONMENT)
    picture = next((name for name in CAPTIONS if (run.figures / f"{name}.png").is_file()), None)
    label = score.label[:1].upper() + score.label[1:]
    verdict = f"solved after {outcome['solved_step']:,} steps" if outcome["solved"] else "not solved"
    return Training(
        title=f"{experiment.model} on {experiment.task}",
        summary=f"{model.summary} The task: {task.summary}",
        tags=(experiment.model, experiment.task),
        facts={
            "task": f"{experiment.task} ({_listed(_task_options(run, experiment))})",
            "recipe": experiment.recipe,
            "settings": _listed(asdict(experiment.train)),
            "seed": experiment.seed,
            "outcome": verdict,
            "steps": f"{outcome['steps']:,}",
            "sequences": f"{outcome['sequences']:,}",
            "seconds": f"{outcome['seconds']:.0f}",
            **{name: environment.get(name) for name in ("processor", "accelerator", "memtape", "commit", "torch")},
            "paper": model.paper,
        },
        results=run.read(EVALUATION),
        unit=task.unit,
        figure=(run.figures / f"{picture}.png").read_bytes() if picture else None,
        caption=CAPTIONS[picture].format(length=task.picture_length, unit=task.unit, score=label) if picture else "",
        symbols=run.vocabulary(),
    )


def _task_options(run: Run, experiment: Experiment) -> dict[str, Any]:
    """Return the options of a task without paths: its folder of data and files of the user are replaced by the data."""
    record = recorded_data(run)
    data = data_of(experiment) if record is None else record.badge.replace("data: ", "")
    options = {name: value for name, value in experiment.task_options.items() if name not in ("data_dir", *FILES)}
    return options if data is None else {"data": data, **options}


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
