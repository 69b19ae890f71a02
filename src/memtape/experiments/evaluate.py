"""Evaluate: score a network on a task, or a trained run, at given lengths."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from memtape.catalog.registry import find
from memtape.core.task import Task
from memtape.experiments.experiment import ExperimentError, first_line
from memtape.experiments.fit_checks import check_network_and_task
from memtape.experiments.open_run import open_run
from memtape.experiments.run_folder.data_of_run import data_entry
from memtape.models.machine.resizable import Resizable
from memtape.training.evaluation import by_length, tested


def evaluate(
    model: nn.Module,
    task: Task,
    lengths: Sequence[int] | None = None,
    *,
    sequences: int | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Score a network on test data, which training never draws; the network is unchanged.

    Args:
        model: the network, called as `model(inputs, lengths=lengths)` in evaluation mode.
        task: the task.
        lengths: the lengths to score, in the task's unit, also beyond those of training; None for the lengths of training.
        sequences: number of sequences of each length; None means all of a finite test split, otherwise 100.
        seed: seed of the data.

    Returns:
        A record for each length: `{"length", "sequences", ...scores}`; without lengths one record without a length.

    Raises:
        TypeError: an argument has the wrong type.
        ExperimentError: the network and the task do not fit, or the task has no sequences of a length.

    Example:
        >>> import memtape
        >>> task = memtape.Copy(bits=2)
        >>> network = memtape.NTM(task.input_size, task.output_size, slots=4, width=4, controller_size=8)
        >>> [record["length"] for record in memtape.evaluate(network, task, [2, 5], sequences=3)]
        [2, 5]
    """
    check_network_and_task(model, task, seed)
    chosen = _lengths(lengths)
    try:
        return by_length(model, task, chosen, sequences=sequences, seed=seed)
    except ValueError as error:
        raise ExperimentError(first_line(error)) from error


def _lengths(lengths: Any) -> Sequence[int]:
    """Return the lengths that a caller gave, none for those of training.

    Raises:
        TypeError: they are no list of integers.
        ExperimentError: the list is empty.
    """
    if lengths is None:
        return ()
    if not isinstance(lengths, Sequence) or isinstance(lengths, (str, bytes)):
        raise TypeError(f"lengths is {lengths!r}, but it must be a list of lengths; give one such as [10, 20]")
    for length in lengths:
        if isinstance(length, bool) or not isinstance(length, int):
            raise TypeError(f"a length is {length!r}, but it must be an integer; give numbers such as 10")
    if not lengths:
        raise ExperimentError("lengths is empty, so there is nothing to score; give lengths, or leave it out")
    return lengths


def evaluate_run(
    folder: Path,
    lengths: Sequence[int] | None,
    *,
    sequences: int | None,
    task_options: Mapping[str, Any],
    data_dir: Path | None = None,
    slots: int | None = None,
    warn: Callable[[str], None] = warnings.warn,
) -> dict[str, Any]:
    """Score the network of a run at given lengths, on test data.

    Args:
        folder: the run folder.
        lengths: the lengths, in the task's unit; None means those of the final evaluation.
        sequences: number of sequences of each length; None means all of a finite test split, otherwise 100.
        task_options: options of the task that differ from those of training, such as more repeats.
        data_dir: folder of the data; None leaves it to `experiments.data_dir`.
        slots: number of slots of the memory; None means that of training.
        warn: receives a sentence if the run is not finished, and its best weights so far are scored, or if the data
            differs from that of training.

    Returns:
        `{"model", "task", "run", "data", "results": [{"length", "sequences", ...scores}]}`; without lengths the
        results are those of the final evaluation, of which the first may have no length, and data is left out for a task that
        its generator defines.

    Raises:
        ExperimentError: the task has no sequences of a length, an option is unknown, or the network cannot have the
            slots.
        RunError: the run does not exist or is damaged.
        DataDirError: `data_dir` is given, but the task reads no data.
    """
    _, experiment, model, task = open_run(folder, task_options, data_dir, warn=warn, on_other_data=warn)
    try:
        if slots is not None:
            model = _with_slots(model, experiment.model, slots)
        if lengths:
            results = by_length(model, task, lengths, sequences=sequences, seed=experiment.seed)
        else:
            own = find("task", experiment.task).test_lengths
            results = tested(model, task, own, sequences=sequences, seed=experiment.seed)
    except ValueError as error:
        raise ExperimentError(first_line(error)) from None
    named = {"model": experiment.model, "task": experiment.task, "run": str(folder)}
    return {**named, **data_entry(task), "results": results}


def _with_slots(model: nn.Module, name: str, slots: int) -> nn.Module:
    if not isinstance(model, Resizable):
        raise ValueError(f"slots is {slots}, but {name} has no number of slots to change; leave it out")
    return model.with_slots(slots)
