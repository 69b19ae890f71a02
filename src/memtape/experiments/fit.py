"""Fit: train a network on a task in one call, from Python."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from memtape.core.evaluation_mode import training_mode
from memtape.core.task import Task
from memtape.experiments.described_experiment import described_experiment
from memtape.experiments.experiment import ExperimentError
from memtape.experiments.fit_checks import (
    check_network_and_task,
    checked_folder,
    checked_settings,
    random_states_kept,
    try_one_batch,
)
from memtape.experiments.learning_figure import learning_figure
from memtape.experiments.progress_lines import ProgressLines
from memtape.experiments.train import SEED_OF_NEXT_RESTART, train_run
from memtape.training.compatibility import check_compatible
from memtape.training.interruption import interruption
from memtape.training.loop import train
from memtape.training.outcome import Outcome
from memtape.training.parallel.processes import Processes
from memtape.training.settings import SettingsError, TrainSettings


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """The result of `memtape.fit`.

    Attributes:
        model: the trained network.
        task: the task.
        settings: the training settings.
        outcome: steps, seconds, whether the task was solved, and the scores of the best validation.
        records: the metrics of training and validation, in the order of time.
        run_folder: the run folder; None without one.
    """

    model: nn.Module
    task: Task
    settings: TrainSettings
    outcome: Outcome
    records: list[dict[str, Any]]
    run_folder: Path | None

    @property
    def scores(self) -> dict[str, float]:
        """The scores of the best validation."""
        return self.outcome.scores

    @property
    def solved(self) -> bool:
        """Whether the task was solved."""
        return self.outcome.solved

    def figure(self, *, title: str = "") -> Figure:
        """Draw the learning curve.

        Args:
            title: a line above the panels.

        Raises:
            ValueError: training ended before its first validation.
        """
        return learning_figure(self.records, self.task, solved_step=self.outcome.solved_step, title=title)

    def __repr__(self) -> str:
        """Return network, task, steps and scores in one line."""
        state = "" if self.outcome.finished else ", ended early"
        solved = f"solved after {self.outcome.solved_step} steps" if self.solved else "not solved"
        scores = ", ".join(f"{name} {value:.4g}" for name, value in self.scores.items())
        names = f"{type(self.model).__name__} on {type(self.task).__name__}"
        return f"Fit({names}: {solved}, {self.outcome.steps} steps{state}{scores and '; '}{scores})"


def fit(
    model: nn.Module,
    task: Task,
    settings: TrainSettings | None = None,
    *,
    run_folder: str | Path | None = None,
    seed: int = 0,
    progress: bool = True,
    on_record: Callable[[dict[str, Any]], None] | None = None,
    **options: Any,
) -> Fit:
    """Train a network on a task until it is solved, or to the last step, and return the result.

    The network is trained in place. At the end it has the weights of its best validation; an interruption by Ctrl-C ends
    training after the current step, with the weights of that step. Each part is in the mode that it had before, training
    or evaluation, and the random generators of the process are as before. The network stays on the
    device on which it was trained.

    With a run folder the same files are written as by `memtape train`: `memtape.load`, `memtape resume`, `memtape report`
    and all other commands read it. Without one, nothing is written: the settings `save_every` and `keep` have no effect,
    and `tracker` and `non_finite="rollback"` are refused.

    Args:
        model: the network, called as `model(inputs, lengths=lengths)`; it returns outputs and a state, which may be None.
        task: the task.
        settings: the training settings; None for the defaults.
        run_folder: the folder to create for the run; None for none. It needs a network and a task of memtape or of a
            plugin, which can be built again.
        seed: seed of the data, and of random choices in training.
        progress: whether to print the data, and a line for each validation.
        on_record: receives each record of the metrics.
        options: single settings by name, such as `steps=1000`, in place of those of `settings`.

    Returns:
        The result, with the metrics and a figure of the learning curve.

    Raises:
        TypeError: an argument has the wrong type, or no setting has the name of an option.
        ValueError: the run folder has no name.
        ExperimentError: a setting is out of its range, or the network and the task do not fit.
        SettingsError: a setting has no effect on the network, the task, or without a run folder.
        RunError: the run folder cannot be created or written.
        NonFiniteError: a loss or a gradient is not finite.

    Example:
        >>> import memtape
        >>> task = memtape.Copy(bits=2, max_length=2)
        >>> network = memtape.NTM(task.input_size, task.output_size, slots=4, width=4, controller_size=8)
        >>> fit = memtape.fit(network, task, steps=2, batch_size=2, validation_sequences=2, progress=False)
        >>> fit.outcome.steps
        2
    """
    check_network_and_task(model, task, seed)
    chosen = checked_settings(settings, options)
    folder = None if run_folder is None else checked_folder(run_folder)
    _check_callback(on_record)
    check_compatible(model, task, chosen)
    experiment = None if folder is None else described_experiment(model, task, chosen, seed)
    if folder is None:
        _check_without_folder(chosen)
    try_one_batch(model, task, chosen, seed)
    restart_weights = _restart_weights(model, seed) if chosen.restarts else None
    processes = Processes(chosen)
    lines = ProgressLines(task.scored, chosen.steps, stream=sys.stdout) if progress and processes.first else None
    records: list[dict[str, Any]] = []

    def record(values: dict[str, Any]) -> None:
        records.append(values)
        if lines is not None:
            lines.on_record(values)
        if on_record is not None:
            on_record(values)

    def step(number: int, scores: dict[str, float]) -> None:
        if lines is not None:
            lines.on_step(number, scores)

    with ExitStack() as stack:
        stack.enter_context(random_states_kept())
        stack.enter_context(training_mode(model))
        request = stack.enter_context(interruption())
        if lines is not None:
            stack.callback(lines.close)
            if (data := task.data_record()) is not None:
                lines.print(str(data))
        callbacks: dict[str, Any] = {"on_record": record, "on_step": step}
        shared: dict[str, Any] = {"processes": processes, "interruption": request}
        if folder is None or experiment is None:
            outcome = train(model, task, chosen, seed=seed, restart_weights=restart_weights, **callbacks, **shared)
        else:
            _, outcome = train_run(experiment, model, task, folder, fitted=True, **callbacks, **shared)
    return Fit(model=model, task=task, settings=chosen, outcome=outcome, records=records, run_folder=folder)


def _check_callback(on_record: Any) -> None:
    if on_record is not None and not callable(on_record):
        raise TypeError(
            f"on_record is {on_record!r}, but it is called with each record; give a function, or leave it out"
        )


def _check_without_folder(settings: TrainSettings) -> None:
    if settings.non_finite == "rollback":
        raise SettingsError(
            'non_finite is "rollback", but without a run folder there is no checkpoint to go back to; give run_folder, or '
            'choose "skip"'
        )
    if settings.tracker != "none":
        raise SettingsError(
            f'tracker is "{settings.tracker}", but it writes into the run folder; give run_folder, or leave it out'
        )


def _restart_weights(model: nn.Module, seed: int) -> Callable[[int], dict[str, Tensor]]:
    """Return the function that draws the weights of a restart, by building the network again.

    Raises:
        ExperimentError: the network does not know its arguments.
    """
    arguments = getattr(model, "configuration", None)
    if arguments is None:
        raise ExperimentError(
            f"restarts need other weights, but {type(model).__name__} has no `configuration` from which they could be drawn; "
            "leave restarts out"
        )

    def weights(number: int) -> dict[str, Tensor]:
        with random_states_kept():
            torch.manual_seed(seed + SEED_OF_NEXT_RESTART * number)
            return dict(type(model)(**arguments).state_dict())

    return weights
