"""Running: carry an experiment out, from the empty folder to the report, and look at it again later."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from memtape.catalog.registry import find
from memtape.core.backends import backend_for
from memtape.core.task import Task
from memtape.experiments.experiment import Experiment, ExperimentError, first_line
from memtape.experiments.report import write_run_report
from memtape.experiments.run_folder.folder import COPIED, Run, RunError, environment
from memtape.models.machine.resizable import Resizable
from memtape.sharing.blueprint import MisfitError
from memtape.training.checkpoints import Checkpoint, Checkpoints
from memtape.training.evaluation import by_length
from memtape.training.interruption import Interruption
from memtape.training.loop import train
from memtape.training.outcome import Outcome
from memtape.training.parallel.processes import Processes
from memtape.training.tracking import require_tracker, tracking

NEXT_BEGINNING = 1_000_003
"""From the seed of one beginning's weights to the next, far beyond the seeds that people name."""


def train_run(
    experiment: Experiment,
    folder: Path,
    *,
    record: Callable[[dict[str, Any]], None],
    watch: Callable[[int, dict[str, float]], None],
    processes: Processes | None = None,
    interruption: Interruption | None = None,
) -> tuple[Run, Outcome]:
    """Train, save, evaluate and report an experiment in a new folder.

    Args:
        experiment: what to do.
        folder: where; it must not hold anything yet.
        record: receives every training and validation record, which the metrics file receives too.
        watch: receives the number of each update that is done, and its loss and scores.
        processes: the processes that train together; None means this one alone, or those that a launcher started.
        interruption: the wish to end early; what was done until then is saved.

    Returns:
        The run, and how its training ended.

    Raises:
        ExperimentError: settings that no experiment can be built from; nothing is written.
        SettingsError: the tracker is not installed; nothing is written.
        RunError: a folder or a file that cannot be written.
        TrackerError: the tracker failed.
        NonFiniteError: a loss or a gradient that is not finite.
        LostProcessError: another process of the training is gone.
    """
    backend_for("cpu")  # a wrong MEMTAPE_BACKEND is told before anything is written
    model, task = experiment.build()
    processes = processes or Processes(experiment.train)
    run = Run(folder)
    with processes.together():
        if processes.first:
            require_tracker(experiment.train.tracker)
            Run.create(folder, experiment.config(), task.vocabulary)
    return run, _carry_on(
        run,
        experiment,
        model=model,
        task=task,
        resume_from=None,
        record=record,
        watch=watch,
        processes=processes,
        interruption=interruption,
    )


def resume_run(
    folder: Path,
    *,
    begin: Callable[[Experiment, int], None],
    record: Callable[[dict[str, Any]], None],
    watch: Callable[[int, dict[str, float]], None],
    tell: Callable[[str], None],
    interruption: Interruption | None = None,
) -> tuple[Run, Outcome | None]:
    """Go on with a training exactly where its last sound checkpoint stands.

    Args:
        folder: the run folder.
        begin: receives the experiment and the number of updates that are done, before it goes on.
        record: receives every record from there on.
        watch: receives the number of each update that is done, and its loss and scores.
        tell: receives a sentence about everything that is not as it should be, such as a damaged checkpoint.
        interruption: the wish to end early.

    Returns:
        The run, and how its training ended; None if it had ended before.

    Raises:
        RunError: no such run, or no checkpoint of it is sound.
        SettingsError: the tracker of the run is not installed.
        TrackerError: the tracker failed.
        NonFiniteError: a loss or a gradient that is not finite.
        LostProcessError: another process of the training is gone.
    """
    run = Run.open_any(folder)
    if run.finished:
        if not run.report_file.exists():  # it was ended while it drew its figures
            report_run(folder)
        return run, None
    checkpoints = _checkpoints(run, keep=1)
    checkpoint, files, damages = checkpoints.newest()
    if checkpoint is None and damages:
        raise RunError(f"no checkpoint of {folder} is sound: {'; '.join(damages)}; train again")
    config = run.parsed("config.json", files["config.json"]) if files else run.read("config.json")
    experiment = Experiment.from_config(config)
    if checkpoint is None:
        model, task = experiment.build()
    else:
        task = _same_task(run, experiment)
        sizes, place = (task.input_size, task.output_size), checkpoints.path(checkpoint.progress.step)
        model = with_weights(experiment, sizes, checkpoint.weights, place)
    processes = Processes(experiment.train)
    stop = run.stop()
    with processes.together():
        if processes.first:
            require_tracker(experiment.train.tracker)
            run.restore(files or {"metrics.jsonl": b""})
            for damage in damages:
                tell(f"{damage}; going on from update {checkpoint.progress.step if checkpoint else 0}")
            if stop is not None:
                tell(
                    f"this training stopped {stop}; going on from update {checkpoint.progress.step if checkpoint else 0}, "
                    "which leads to the same again; to train with other options, begin a new run"
                )
            for difference in _differences(run.read("environment.json"), environment()):
                tell(f"{difference}: what follows may differ in the last bits")
            begin(experiment, checkpoint.progress.step if checkpoint else 0)
    return run, _carry_on(
        run,
        experiment,
        model=model,
        task=task,
        resume_from=checkpoint,
        record=record,
        watch=watch,
        processes=processes,
        interruption=interruption,
    )


def _same_task(run: Run, experiment: Experiment) -> Task:
    """Build the task of a run, and see that its symbols stand for what they stood for in training.

    Raises:
        ExperimentError: an option that no task can be built from.
        RunError: it has another vocabulary.
    """
    task, known = experiment.build_task(), run.vocabulary()
    if known is not None and task.vocabulary is not None and tuple(known) != tuple(task.vocabulary):
        unlike = next(
            (i for i, (one, other) in enumerate(zip(known, task.vocabulary, strict=False)) if one != other), None
        )
        place = f"symbol {unlike} was {known[unlike]!r}" if unlike is not None else f"there were {len(known)} symbols"
        now = f"is {task.vocabulary[unlike]!r}" if unlike is not None else f"are {len(task.vocabulary)}"
        raise RunError(
            f"the data has another vocabulary than the run {run.folder} was trained with ({place} and {now}); "
            "give it the data of its training"
        )
    return task


def with_weights(
    experiment: Experiment, sizes: tuple[int, int], weights: Mapping[str, Tensor], place: Path
) -> nn.Module:
    """Build the network of an experiment, for inputs and outputs of these sizes, with weights from a file.

    Raises:
        RunError: they are those of another network.
    """
    try:
        return experiment.build_network(weights, *sizes)
    except MisfitError as error:
        raise RunError(
            f"{place} does not hold the weights of the network in config.json ({error}); "
            "restore the two from one run or train again"
        ) from None


def _checkpoints(run: Run, *, keep: int) -> Checkpoints:
    return Checkpoints(run.checkpoints, {name: run.folder / name for name in COPIED}, keep=keep)


def _carry_on(
    run: Run,
    experiment: Experiment,
    *,
    model: nn.Module,
    task: Task,
    resume_from: Checkpoint | None,
    record: Callable[[dict[str, Any]], None],
    watch: Callable[[int, dict[str, float]], None],
    processes: Processes,
    interruption: Interruption | None,
) -> Outcome:
    """Train to the end or to an interruption, and write the result at the end."""
    checkpoints = _checkpoints(run, keep=experiment.train.keep)

    def other_weights(number: int) -> Mapping[str, Tensor]:
        return replace(experiment, seed=experiment.seed + NEXT_BEGINNING * number).build()[0].state_dict()

    with ExitStack() as stack:
        with processes.together():
            track = stack.enter_context(
                tracking(
                    experiment.train.tracker if processes.first else "none",
                    run.tracker,
                    title=run.folder.name,
                    options=experiment.options(),
                    records=run.records(),
                )
            )
        with _disk_failures_told(run, checkpoints), run.metrics() as file:

            def keep(values: dict[str, Any]) -> None:
                file.write(json.dumps(values) + "\n")
                track(values)
                record(values)

            outcome = train(
                model,
                task,
                experiment.train,
                seed=experiment.seed,
                record=keep,
                watch=watch,
                other_weights=other_weights,
                processes=processes,
                checkpoints=checkpoints,
                resume_from=resume_from,
                interruption=interruption,
            )
        if outcome.finished and processes.first:
            run.save_weights(model)
            lengths = find("task", experiment.task).test_lengths
            results = by_length(model, task, lengths, sequences=None, seed=experiment.seed)
            run.write("evaluation.json", results)
            run.write("result.json", asdict(outcome))
            track({"kind": "evaluation", "step": outcome.steps, **_by_score(results)})
    if outcome.finished and processes.first:
        run.finish()  # not before the tracker is closed: until here a failure of its can be resumed
        write_run_report(run, experiment, model.eval(), task)
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
def _disk_failures_told(run: Run, checkpoints: Checkpoints) -> Iterator[None]:
    """Say what a disk that is full or fails costs, and how to go on.

    Raises:
        RunError: something could not be written.
    """
    try:
        yield
    except OSError as error:
        last = checkpoints.steps()[-1:]
        kept = f"what came after update {last[0]} is lost" if last else "nothing was saved yet"
        raise RunError(
            f"{error.filename or run.folder} cannot be written ({error.strerror or error}), and {kept}; "
            f"free the place and go on with `memtape resume {run.folder}`"
        ) from None


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what changes the last bits of a training and is not as it was."""
    return [
        f"{name} was {before.get(name)} and is {now[name]}"
        for name in ("torch", "processor", "threads", "instructions", "accelerator")
        if before.get(name) != now[name]
    ]


def evaluate_run(
    folder: Path,
    lengths: Sequence[int] | None,
    *,
    sequences: int | None,
    task_options: Mapping[str, Any],
    data_dir: str | None = None,
    slots: int | None = None,
) -> dict[str, Any]:
    """Score the network of a run at given lengths, on data that training never saw.

    Args:
        folder: the run folder.
        lengths: the lengths, in the task's unit; None means those that the task is tested on.
        sequences: how many of each length; None means all of a test split that has an end, and else 100.
        task_options: options of the task to change, such as more repeats.
        data_dir: where data is now, of a run that was trained on data.
        slots: number of slots of the memory; None means those of training.

    Returns:
        `{"model", "task", "run", "results": [{"length", "sequences", ...scores}]}`; without lengths there is one result.

    Raises:
        ExperimentError: lengths that the task has no sequences for, an unknown option, or slots that the network cannot have.
        RunError: no such run, or a damaged one.
    """
    _, experiment, model, task = open_run(folder, task_options, data_dir)
    try:
        if slots is not None:
            model = _with_slots(model, experiment.model, slots)
        lengths = lengths or find("task", experiment.task).test_lengths
        results = by_length(model, task, lengths, sequences=sequences, seed=experiment.seed)
    except ValueError as error:
        raise ExperimentError(first_line(error)) from None
    return {"model": experiment.model, "task": experiment.task, "run": str(folder), "results": results}


def _with_slots(model: nn.Module, name: str, slots: int) -> nn.Module:
    if not isinstance(model, Resizable):
        raise ValueError(f"slots is {slots}, but {name} has no number of slots that could change; leave it out")
    return model.with_slots(slots)


def report_run(folder: Path) -> Path:
    """Draw the figures of a run again and write its report; return the report's file.

    Raises:
        RunError: no such run, or a damaged one.
    """
    run, experiment, model, task = open_run(folder, {})
    return write_run_report(run, experiment, model, task)


def open_run(
    folder: Path, task_options: Mapping[str, Any], data_dir: str | None = None
) -> tuple[Run, Experiment, nn.Module, Task]:
    """Build the network of a run with its trained weights.

    Args:
        folder: the run folder.
        task_options: options of the task to change.
        data_dir: where data is now, of a run that was trained on data.

    Raises:
        ExperimentError: a configuration that no experiment can be built from.
        RunError: no such run, or a damaged one.
    """
    run = Run.open(folder)
    experiment = Experiment.from_config(run.read("config.json"))
    moved = {"data_dir": data_dir} if data_dir and experiment.task_options.get("data_dir") else {}
    experiment = replace(experiment, task_options={**experiment.task_options, **moved, **task_options})
    task = _same_task(run, experiment)
    sizes, weights = (task.input_size, task.output_size), run.weights()
    return run, experiment, with_weights(experiment, sizes, weights, run.folder / "weights.safetensors").eval(), task
