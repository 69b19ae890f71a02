"""Open run: load the trained network, its task and its experiment from a run folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from memtape.core.task import Task
from memtape.experiments.data_dir import with_data_dir
from memtape.experiments.experiment import Experiment
from memtape.experiments.run_folder.folder import CONFIGURATION, WEIGHTS, Run, RunError
from memtape.experiments.run_folder.weights import read_weights
from memtape.sharing.blueprint import MisfitError


def open_run(
    folder: Path, task_options: Mapping[str, Any] | None = None, data_dir: Path | None = None
) -> tuple[Run, Experiment, nn.Module, Task]:
    """Build the network of a finished run with its trained weights, and its task.

    Args:
        folder: the run folder.
        task_options: options of the task that differ from those of training; None changes none.
        data_dir: folder of the data; None leaves it to `experiments.data_dir`.

    Returns:
        The run, its experiment with the changed options, the network in evaluation mode, and the task.

    Raises:
        ExperimentError: no experiment can be built from the configuration.
        PluginError: a plugin of the run is missing.
        RunError: the run does not exist or is damaged.
        DataDirError: `data_dir` is given, but the task reads no data.
    """
    run = Run.open(folder)
    experiment = Experiment.from_config(run.read(CONFIGURATION))
    options = with_data_dir(experiment.task, task_options or {}, flag=data_dir, trained=experiment.task_options)
    experiment = replace(experiment, task_options=options)
    task = task_of_run(run, experiment)
    sizes = (task.input_size, task.output_size)
    return run, experiment, network_of_run(experiment, sizes, read_weights(run), run.folder / WEIGHTS).eval(), task


def task_of_run(run: Run, experiment: Experiment) -> Task:
    """Build the task of a run, and check that its symbols have the same meaning as in training.

    Raises:
        ExperimentError: no task can be built from an option.
        RunError: the task has another vocabulary.
    """
    task, known = experiment.build_task(), run.vocabulary()
    if known is not None and task.vocabulary is not None and tuple(known) != tuple(task.vocabulary):
        unlike = next(
            (i for i, (one, other) in enumerate(zip(known, task.vocabulary, strict=False)) if one != other), None
        )
        place = f"symbol {unlike} was {known[unlike]!r}" if unlike is not None else f"there were {len(known)} symbols"
        now = f"is {task.vocabulary[unlike]!r}" if unlike is not None else f"are {len(task.vocabulary)}"
        raise RunError(
            f"the vocabulary of the data differs from that of the run {run.folder} ({place} and {now}); "
            "give it the data of its training"
        )
    return task


def network_of_run(
    experiment: Experiment, sizes: tuple[int, int], weights: Mapping[str, Tensor], file: Path
) -> nn.Module:
    """Build the network of an experiment with weights from a file of its run.

    Args:
        experiment: the experiment of the run.
        sizes: size of the inputs and of the outputs.
        weights: content of the file.
        file: the path of the weights, for the error.

    Raises:
        RunError: the weights belong to another network.
    """
    try:
        return experiment.build_network(weights, *sizes)
    except MisfitError as error:
        raise RunError(
            f"{file} does not hold the weights of the network in config.json ({error}); "
            "restore the two from one run or train again"
        ) from None
