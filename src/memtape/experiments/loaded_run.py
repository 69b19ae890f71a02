"""Loaded run: the trained network of a run folder with its task, settings and results."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from torch import nn

from memtape.core.data_record import DataRecord
from memtape.core.task import Task
from memtape.experiments.fit_checks import checked_folder
from memtape.experiments.learning_figure import learning_figure
from memtape.experiments.open_run import open_run
from memtape.experiments.run_folder.record import RunRecord
from memtape.training.outcome import Outcome
from memtape.training.settings import TrainSettings


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadedRun:
    """A training run, as `memtape.load` returns it.

    Attributes:
        folder: the run folder.
        model: the network with its trained weights, in evaluation mode; of a run that is not finished, with the best
            weights so far.
        task: the task.
        settings: the training settings.
        seed: the seed of the run.
        data: the data of training; None if the task is defined by its generator.
        outcome: steps, seconds and scores of the finished training run; None if it is not finished.
        evaluation: the scores by length at the end of training; empty if it is not finished.
        records: the metrics of training and validation.
    """

    folder: Path
    model: nn.Module
    task: Task
    settings: TrainSettings
    seed: int
    data: DataRecord | None
    outcome: Outcome | None
    evaluation: list[dict[str, Any]]
    records: list[dict[str, Any]]

    def figure(self, *, title: str = "") -> Figure:
        """Draw the learning curve.

        Args:
            title: a line above the panels.

        Raises:
            ValueError: the run has no validation yet.
        """
        solved = None if self.outcome is None else self.outcome.solved_step
        return learning_figure(self.records, self.task, solved_step=solved, title=title)

    def __repr__(self) -> str:
        """Return network, task and folder in one line."""
        state = "finished" if self.outcome is not None else "not finished"
        return f"LoadedRun({type(self.model).__name__} on {type(self.task).__name__} in {self.folder}, {state})"


def load(run_folder: str | Path, *, data_dir: str | Path | None = None) -> LoadedRun:
    """Load a run folder: the trained network, its task, its settings and its results; nothing in it is executed.

    A run that is not finished, and data that differs from that of training, are reported as warnings.

    Args:
        run_folder: the folder, as `memtape.fit` or `memtape train` wrote it.
        data_dir: the folder of the data; None for that of the environment variable MEMTAPE_DATA_DIR or of training, if the
            run was trained on data.

    Raises:
        TypeError: an argument is no path.
        ValueError: a path is empty.
        RunError: there is no run, or it is damaged.
        DataDirError: a data folder is given, but the task reads no data.
        DataError: a file of the data is missing or invalid.
        PluginError: a plugin of the run is missing.

    Example:
        >>> import memtape, tempfile
        >>> task = memtape.Adding(min_length=4, max_length=4)
        >>> network = memtape.Elman(task.input_size, task.output_size, hidden_size=4)
        >>> small = memtape.TrainSettings(steps=1, batch_size=2, validation_sequences=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit = memtape.fit(network, task, small, run_folder=f"{folder}/run", progress=False)
        ...     run = memtape.load(f"{folder}/run")
        >>> run.outcome.steps
        1
    """
    folder = checked_folder(run_folder)
    data = None if data_dir is None else checked_folder(data_dir, "data_dir")
    run, experiment, model, task = open_run(folder, data_dir=data, warn=warnings.warn, on_other_data=warnings.warn)
    read = RunRecord.read(run.folder)
    return LoadedRun(
        folder=run.folder,
        model=model,
        task=task,
        settings=experiment.train,
        seed=experiment.seed,
        data=read.data,
        outcome=None if read.result is None else _outcome(read.result),
        evaluation=read.evaluation,
        records=read.records,
    )


def _outcome(result: Mapping[str, Any]) -> Outcome:
    """Return the outcome in a result file, also of an older version that recorded less."""
    known = {field.name: result[field.name] for field in fields(Outcome) if field.name in result}
    return Outcome(**{**known, "finished": True})
