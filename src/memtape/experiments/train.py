"""Train: run an experiment from the empty run folder to the report."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from memtape.catalog.registry import find
from memtape.core.backends import backend_for
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.task import Task
from memtape.experiments.experiment import Experiment
from memtape.experiments.report import write_run_report
from memtape.experiments.run_folder.checkpoints import checkpoints_of
from memtape.experiments.run_folder.data_of_run import data_entry
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import EVALUATION, RESULT, Run, RunError
from memtape.experiments.run_folder.weights import save_weights
from memtape.training.checkpoints import Checkpoint, Checkpoints
from memtape.training.evaluation import tested
from memtape.training.interruption import Interruption
from memtape.training.loop import train
from memtape.training.outcome import Outcome
from memtape.training.parallel.processes import Processes
from memtape.training.tracking import require_tracker, tracking

SEED_OF_NEXT_RESTART = 1_000_003
"""Distance between the seeds of the weights of restarts, far above usual seeds."""


def train_run(
    experiment: Experiment,
    model: nn.Module,
    task: Task,
    folder: Path,
    *,
    on_record: Callable[[dict[str, Any]], None],
    on_step: Callable[[int, dict[str, float]], None],
    processes: Processes | None = None,
    interruption: Interruption | None = None,
    fitted: bool = False,
) -> tuple[Run, Outcome]:
    """Train, save, evaluate and report an experiment in a new folder.

    Args:
        experiment: the experiment.
        model: the network that `experiment.build` returned; trained in place.
        task: the task that it returned.
        folder: the run folder, new or empty.
        on_record: receives every training and validation record, which the metrics file receives too.
        on_step: receives the number of each completed step, its loss and its scores.
        processes: the processes that train together; None means those that a launcher started, or only this one.
        interruption: a request to stop early; the progress until then is saved.
        fitted: whether the initial weights are those of a caller, and not drawn from the seed.

    Returns:
        The run and its outcome.

    Raises:
        SettingsError: the tracker is not installed; nothing is written.
        RunError: a folder or a file cannot be written, or another process resumed the run first.
        TrackerError: the tracker failed.
        NonFiniteError: a loss or a gradient is not finite.
        LostProcessError: another process of the training run ended or failed.
    """
    backend_for("cpu")  # rejects a wrong MEMTAPE_BACKEND before anything is written
    processes = processes or Processes(experiment.train)
    run = Run(folder)
    with ExitStack() as stack:
        with processes.sharing_errors():
            if processes.first:
                require_tracker(experiment.train.tracker)
                beside = {**data_entry(task), **({"fitted": True} if fitted else {})}
                Run.create(folder, {**experiment.config(), **beside}, environment(), task.vocabulary)
                stack.enter_context(run.owned())
        return run, train_to_the_end(
            run,
            experiment,
            model=model,
            task=task,
            resume_from=None,
            on_record=on_record,
            on_step=on_step,
            processes=processes,
            interruption=interruption,
        )


def train_to_the_end(
    run: Run,
    experiment: Experiment,
    *,
    model: nn.Module,
    task: Task,
    resume_from: Checkpoint | None,
    on_record: Callable[[dict[str, Any]], None],
    on_step: Callable[[int, dict[str, float]], None],
    processes: Processes,
    interruption: Interruption | None,
) -> Outcome:
    """Train in a run folder to the end or to an interruption, and write the result at the end.

    Args:
        run: the run folder, with its configuration and environment; the first process owns it.
        experiment: the experiment.
        model: the network, trained in place.
        task: the task.
        resume_from: the checkpoint to continue from; None starts at step 0.
        on_record: as in `train_run`.
        on_step: as in `train_run`.
        processes: the processes that train together.
        interruption: a request to stop early.

    Returns:
        The outcome of the training run.

    Raises:
        RunError: a file cannot be written.
        TrackerError: the tracker failed.
        NonFiniteError: a loss or a gradient is not finite.
        LostProcessError: another process of the training run ended or failed.
    """
    checkpoints = checkpoints_of(run, keep=experiment.train.keep)
    sizes = (task.input_size, task.output_size)

    def restart_weights(number: int) -> Mapping[str, Tensor]:
        seed = experiment.seed + SEED_OF_NEXT_RESTART * number
        return replace(experiment, seed=seed).new_network(*sizes).state_dict()

    with ExitStack() as stack:
        with processes.sharing_errors():
            track = stack.enter_context(
                tracking(
                    experiment.train.tracker if processes.first else "none",
                    run.tracker,
                    title=run.folder.name,
                    options=experiment.options(),
                    records=run.records(),
                )
            )
        with _disk_errors_as_run_errors(run, checkpoints), run.metrics() as file:

            def write_record(values: dict[str, Any]) -> None:
                file.write(json.dumps(values) + "\n")
                track(values)
                on_record(values)

            outcome = train(
                model,
                task,
                experiment.train,
                seed=experiment.seed,
                on_record=write_record,
                on_step=on_step,
                restart_weights=restart_weights,
                processes=processes,
                checkpoints=checkpoints,
                resume_from=resume_from,
                interruption=interruption,
            )
        if outcome.finished and processes.first:
            save_weights(run, model)
            lengths = find("task", experiment.task).test_lengths
            results = tested(model, task, lengths, sequences=None, seed=experiment.seed)
            run.write(EVALUATION, results)
            run.write(RESULT, {**asdict(outcome), **data_entry(task)})
            track({"kind": "evaluation", "step": outcome.steps, **_by_score(results)})
    if outcome.finished and processes.first:
        run.finish()  # after the tracker is closed, so that a failure of the tracker can be resumed
        with evaluation_mode(model):
            write_run_report(run, experiment, model, task)
    return outcome


def _by_score(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return scores by length as single numbers, such as "wrong_bits_20"."""
    return {
        f"{score}_{result.get('length', 'test')}": value
        for result in results
        for score, value in result.items()
        if score not in ("length", "sequences")
    }


@contextmanager
def _disk_errors_as_run_errors(run: Run, checkpoints: Checkpoints) -> Iterator[None]:
    """Turn an error of a full or failing disk into one that states the loss and how to continue.

    Raises:
        RunError: a file could not be written.
    """
    try:
        yield
    except OSError as error:
        last = checkpoints.steps()[-1:]
        kept = f"progress after step {last[0]} is lost" if last else "nothing was saved yet"
        raise RunError(
            f"{error.filename or run.folder} cannot be written ({error.strerror or error}), and {kept}; "
            f"free disk space and continue with `memtape resume {run.folder}`"
        ) from None
