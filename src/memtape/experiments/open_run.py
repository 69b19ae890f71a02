"""Open run: load the trained network, its task and its experiment from a run folder."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from memtape.core.task import Task
from memtape.experiments.data_dir import with_data_dir
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.experiments.run_folder.checkpoints import best_weights_so_far
from memtape.experiments.run_folder.data_of_run import other_data
from memtape.experiments.run_folder.folder import CONFIGURATION, VOCABULARY, WEIGHTS, Run, RunError
from memtape.experiments.run_folder.weights import read_weights
from memtape.sharing.blueprint import MisfitError


def open_run(
    folder: Path,
    task_options: Mapping[str, Any] | None = None,
    data_dir: Path | None = None,
    *,
    warn: Callable[[str], None] | None = None,
    on_other_data: Callable[[str], None] = warnings.warn,
) -> tuple[Run, Experiment, nn.Module, Task]:
    """Build the network of a run with its trained weights, and its task.

    Args:
        folder: the run folder.
        task_options: options of the task that differ from those of training; None changes none.
        data_dir: folder of the data; None leaves it to `experiments.data_dir`.
        warn: receives a sentence if the run is not finished, and its best weights so far are used; None refuses it.
        on_other_data: receives a sentence if the data differs from that of training.

    Returns:
        The run, its experiment with the changed options, the network in evaluation mode, and the task.

    Raises:
        ExperimentError: no experiment can be built from the configuration, or the network does not fit the options.
        PluginError: a plugin of the run is missing.
        RunError: the run does not exist, is damaged or is not finished.
        DataDirError: `data_dir` is given, but the task reads no data.
    """
    run = Run.open(folder) if warn is None else Run.open_any(folder)
    so_far = None if run.finished else weights_of_run(run, warn)
    config = run.read(CONFIGURATION)
    trained = experiment = Experiment.from_config(config)
    options = with_data_dir(experiment.task, task_options or {}, flag=data_dir, trained=experiment.task_options)
    experiment = replace(experiment, task_options=options)
    task = task_of_run(run, experiment)
    sizes = (task.input_size, task.output_size)
    weights, file = so_far or weights_of_run(run, warn)
    try:
        network = network_of_run(experiment, sizes, weights, file)
    except RunError:
        if not task_options or (before := _sizes(trained, run.vocabulary())) == sizes:
            raise
        raise ExperimentError(
            f"with {', '.join(task_options)} the task has inputs and outputs of sizes {sizes[0]} and {sizes[1]}, but the "
            f"network of {folder} was trained with {before[0]} and {before[1]}; leave out the options that change them"
        ) from None
    if (difference := other_data(run, config, task)) is not None:
        on_other_data(difference)
    return run, experiment, network.eval(), task


def weights_of_run(run: Run, warn: Callable[[str], None] | None) -> tuple[Mapping[str, Tensor], Path]:
    """Return the trained weights of a run and their file, or the best so far of one that is not finished.

    Args:
        run: the run.
        warn: receives a sentence if the run is not finished; None refuses it.

    Raises:
        RunError: the weights are missing or damaged.
    """
    if run.finished or warn is None:
        return read_weights(run), run.folder / WEIGHTS
    weights, step = best_weights_so_far(run)
    warn(f"the training run in {run.folder} is not finished; its best weights so far, of step {step}, are used")
    return weights, run.checkpoints


def _sizes(experiment: Experiment, known: Sequence[str] | None) -> tuple[int, int]:
    task = experiment.build_task(known)
    return task.input_size, task.output_size


def task_of_run(run: Run, experiment: Experiment) -> Task:
    """Build the task of a run with its vocabulary, and check that its symbols have the same meaning as in training.

    Raises:
        ExperimentError: no task can be built from an option.
        RunError: the task has another vocabulary.
    """
    known = run.vocabulary()
    task = experiment.build_task(known)
    if known is not None and task.vocabulary is not None and tuple(known) != tuple(task.vocabulary):
        unlike = next(
            (i for i, (one, other) in enumerate(zip(known, task.vocabulary, strict=False)) if one != other), None
        )
        if unlike is None and len(task.vocabulary) > len(known):
            raise RunError(
                f"the data has {task.vocabulary[len(known)]!r}, which is not among the {len(known)} symbols of the run "
                f"{run.folder}; give it data with those in its {VOCABULARY}, or train on this data with --weights {run.folder}"
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
