"""Running: carry an experiment out, from the empty folder to the report, and look at it again later."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from memtape.core.backends import backend_for
from memtape.core.task import Task
from memtape.recipes.experiment import Experiment, ExperimentError, first_line
from memtape.recipes.registry import find
from memtape.recipes.reporting import write_run_report
from memtape.training.evaluation import by_length
from memtape.training.loop import Outcome, train
from memtape.training.runs import Run

NEXT_BEGINNING = 1_000_003
"""From the seed of one beginning's weights to the next, far beyond the seeds that people name."""

TEST_SEQUENCES = 100
"""Sequences of each length in the evaluation that ends a training."""


def train_run(
    experiment: Experiment,
    folder: Path,
    *,
    record: Callable[[dict[str, Any]], None],
    watch: Callable[[int, dict[str, float]], None],
) -> tuple[Run, Outcome, list[dict[str, Any]]]:
    """Train, save, evaluate and report an experiment in a new folder.

    Args:
        experiment: what to do.
        folder: where; it must not hold anything yet.
        record: receives every training and validation record, which the metrics file receives too.
        watch: receives the number of each update that is done, and its loss and scores.

    Returns:
        The run, how its training ended, and its scores by length.

    Raises:
        ExperimentError: settings that no experiment can be built from; nothing is written.
        RunError: a folder that cannot be written.
        NonFiniteError: a loss or a gradient that is not finite.
    """
    backend_for("cpu")  # a wrong MEMTAPE_BACKEND is told before anything is written
    model, task = experiment.build()
    run = Run.create(folder, experiment.config())
    with run.metrics() as file:

        def keep(values: dict[str, Any]) -> None:
            file.write(json.dumps(values) + "\n")
            record(values)

        def other_weights(number: int) -> Mapping[str, Tensor]:
            return replace(experiment, seed=experiment.seed + NEXT_BEGINNING * number).build()[0].state_dict()

        outcome = train(
            model,
            task,
            experiment.train,
            seed=experiment.seed,
            record=keep,
            watch=watch,
            other_weights=other_weights,
        )
    run.save_weights(model)
    run.write("result.json", asdict(outcome))
    lengths = find("task", experiment.task).test_lengths
    results = by_length(model, task, lengths, sequences=TEST_SEQUENCES, seed=experiment.seed)
    run.write("evaluation.json", results)
    write_run_report(run, experiment, model, task)
    return run, outcome, results


def evaluate_run(
    folder: Path, lengths: Sequence[int] | None, *, sequences: int, task_options: Mapping[str, Any]
) -> dict[str, Any]:
    """Score the network of a run at given lengths, on data that training never saw.

    Args:
        folder: the run folder.
        lengths: the lengths, in the task's unit; None means those that the task is tested on.
        sequences: how many of each length.
        task_options: options of the task to change, such as more repeats.

    Returns:
        `{"model", "task", "run", "results": [{"length", "sequences", "cost_bits", "wrong_bits"}]}`.

    Raises:
        ExperimentError: lengths that the task has no sequences for, or an unknown option.
        RunError: no such run, or a damaged one.
    """
    _, experiment, model, task = open_run(folder, task_options)
    try:
        lengths = lengths or find("task", experiment.task).test_lengths
        results = by_length(model, task, lengths, sequences=sequences, seed=experiment.seed)
    except ValueError as error:
        raise ExperimentError(first_line(error)) from None
    return {"model": experiment.model, "task": experiment.task, "run": str(folder), "results": results}


def report_run(folder: Path) -> Path:
    """Draw the figures of a run again and write its report; return the report's file.

    Raises:
        RunError: no such run, or a damaged one.
    """
    run, experiment, model, task = open_run(folder, {})
    return write_run_report(run, experiment, model, task)


def open_run(folder: Path, task_options: Mapping[str, Any]) -> tuple[Run, Experiment, nn.Module, Task]:
    """Build the network of a run with its trained weights.

    Raises:
        ExperimentError: a configuration that no experiment can be built from.
        RunError: no such run, or a damaged one.
    """
    run = Run.open(folder)
    experiment = Experiment.from_config(run.read("config.json"))
    experiment = replace(experiment, task_options={**experiment.task_options, **task_options})
    model, task = experiment.build()
    run.load_weights(model)
    return run, experiment, model.eval(), task
