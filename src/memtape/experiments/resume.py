"""Resume: continue a training run exactly from its last valid checkpoint."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from memtape.experiments.experiment import Experiment
from memtape.experiments.initial_weights import initial_weights
from memtape.experiments.open_run import network_of_run, task_of_run
from memtape.experiments.report import report_run
from memtape.experiments.run_folder.checkpoints import checkpoints_of
from memtape.experiments.run_folder.data_of_run import other_data
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import CONFIGURATION, ENVIRONMENT, Run, RunError
from memtape.experiments.train import train_to_the_end
from memtape.training.interruption import Interruption
from memtape.training.outcome import Outcome
from memtape.training.parallel.processes import Processes, launched_first
from memtape.training.tracking import require_tracker


def resume_run(
    folder: Path,
    *,
    on_start: Callable[[Experiment, int], None],
    on_record: Callable[[dict[str, Any]], None],
    on_step: Callable[[int, dict[str, float]], None],
    warn: Callable[[str], None],
    interruption: Interruption | None = None,
) -> tuple[Run, Outcome | None]:
    """Continue a training run from its last valid checkpoint.

    Args:
        folder: the run folder.
        on_start: receives the experiment and the number of completed steps, before training continues.
        on_record: receives every further record.
        on_step: receives the number of each completed step, its loss and its scores.
        warn: receives a message about each problem, such as a damaged checkpoint.
        interruption: a request to stop early.

    Returns:
        The run and its outcome; None if it was finished before.

    Raises:
        RunError: the run does not exist, another process trains it, its data has changed, or all its checkpoints are
            damaged.
        PluginError: a plugin of the run is missing.
        SettingsError: the tracker of the run is not installed.
        TrackerError: the tracker failed.
        NonFiniteError: a loss or a gradient is not finite.
        LostProcessError: another process of the training run ended or failed.
    """
    run = Run.open_any(folder)
    if run.finished and run.report_file.exists():
        return run, None
    with run.owned() if launched_first() else nullcontext():
        return run, _resume_owned(
            run, on_start=on_start, on_record=on_record, on_step=on_step, warn=warn, interruption=interruption
        )


def _resume_owned(
    run: Run,
    *,
    on_start: Callable[[Experiment, int], None],
    on_record: Callable[[dict[str, Any]], None],
    on_step: Callable[[int, dict[str, float]], None],
    warn: Callable[[str], None],
    interruption: Interruption | None,
) -> Outcome | None:
    if run.finished:  # it was killed while drawing its figures
        report_run(run.folder)
        return None
    checkpoints = checkpoints_of(run, keep=1)
    checkpoint, files, damages = checkpoints.newest()
    if checkpoint is None and damages:
        raise RunError(f"every checkpoint of {run.folder} is damaged: {'; '.join(damages)}; train again")
    config = run.parsed(CONFIGURATION, files[CONFIGURATION]) if files else run.read(CONFIGURATION)
    experiment = Experiment.from_config(config)
    step = checkpoint.progress.step if checkpoint else 0
    if checkpoint is None and config.get("fitted"):
        raise RunError(
            f"the training run in {run.folder} stopped before its first checkpoint, which has its initial weights; "
            "remove the folder and call memtape.fit again"
        )
    if checkpoint is None:
        model, task = experiment.build(initial_weights(experiment.weights))
    else:
        task = task_of_run(run, experiment)
        sizes = (task.input_size, task.output_size)
        model = network_of_run(experiment, sizes, checkpoint.weights, checkpoints.path(step))
    if (difference := other_data(run, config, task)) is not None:
        raise RunError(f"{difference}; restore that data to continue exactly, or train again")
    processes = Processes(experiment.train)
    stop = run.stop()
    with processes.sharing_errors():
        if processes.first:
            require_tracker(experiment.train.tracker)
            run.restore(files or {"metrics.jsonl": b""})
            for damage in damages:
                warn(f"{damage}; continuing from step {step}")
            if stop is not None:
                warn(
                    f"this training run stopped {stop}; continuing from step {step}, "
                    "which leads to the same again; to train with other options, start a new run"
                )
            for difference in _differences(run.read(ENVIRONMENT), environment()):
                warn(f"{difference}: further results may differ in the last bits")
            on_start(experiment, step)
    return train_to_the_end(
        run,
        experiment,
        model=model,
        task=task,
        resume_from=checkpoint,
        on_record=on_record,
        on_step=on_step,
        processes=processes,
        interruption=interruption,
    )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the changes of the environment that may change the last bits of a training run."""
    return [
        f"{name} was {before.get(name)} and is {now[name]}"
        for name in ("torch", "processor", "threads", "instructions", "accelerator")
        if before.get(name) != now[name]
    ]
