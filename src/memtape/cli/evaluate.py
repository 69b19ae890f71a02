"""`memtape evaluate`: score a trained run at given lengths."""

import inspect
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from memtape.catalog.options import Option
from memtape.catalog.registry import TASKS, find
from memtape.cli.options import AsJson, group_of_changes, union_of_options, with_signature
from memtape.cli.table import print_table, spaced
from memtape.cli.terminal import print_visible
from memtape.core.data_record import DataRecord
from memtape.core.plain_type import is_of
from memtape.experiments.data_dir import VARIABLE
from memtape.experiments.run_folder.folder import CONFIGURATION, Run


def app(words: Sequence[str]) -> App:
    """Return the command, with the options of the task of the run that the command line names.

    The run is not checked here: `evaluate_run` reads it again and reports errors.

    Args:
        words: the command line.
    """
    options, values = _task_of_run(words) or (union_of_options(entry.options for entry in TASKS.values()), {})
    known = [parameter for parameter in inspect.signature(evaluate).parameters.values() if parameter.name != "task"]
    command = App(name="evaluate", help=evaluate.__doc__)
    command.default(with_signature(_command, [*known, group_of_changes("task", options, values)]))
    return command


def _command(run: Path, *, task: dict[str, Any] | None = None, **given: Any) -> None:
    evaluate(run, task=task or {}, **given)


def evaluate(
    run: Annotated[Path, Parameter(help="Run folder, as printed by `memtape train`.")],
    /,
    *,
    lengths: Annotated[
        list[int] | None,
        Parameter(consume_multiple=True, help="Lengths to score, in the task's unit; by default those of the task."),
    ] = None,
    sequences: Annotated[
        int | None,
        Parameter(help="Sequences of each length; by default all of a finite test set, and 100 of an unlimited one."),
    ] = None,
    slots: Annotated[int | None, Parameter(help="Slots of the memory; by default those of training.")] = None,
    data_dir: Annotated[
        Path | None,
        Parameter(
            help=f"Folder with the data of a run that was trained on data; by default that of {VARIABLE} or of training."
        ),
    ] = None,
    as_json: AsJson = False,
    task: dict[str, Any],
) -> None:
    """Score a trained run at given lengths, also lengths beyond those of training.

    The scores are those of the task, over sequences that training never draws. Options of the task, such as
    --task.max-repeats, replace those of training. A run that is not finished is scored with its best weights so far.
    """
    from memtape.experiments.evaluate import evaluate_run

    warn = partial(print_visible, error=True)
    scored = evaluate_run(
        run, lengths, sequences=sequences, task_options=task, data_dir=data_dir, slots=slots, warn=warn
    )
    if as_json:
        print(json.dumps(scored))
    else:
        if "data" in scored:
            print_visible(str(DataRecord.from_json(scored["data"])))
        print_table([spaced(result) for result in scored["results"]])


def _task_of_run(words: Sequence[str]) -> tuple[Sequence[Option], dict[str, Any]] | None:
    """Return the task options of the first run on the command line, with its values; None without a readable run."""
    for word in words:
        try:
            run = Run(Path(word))
            if not (run.folder / CONFIGURATION).is_file():
                continue
            config = run.read(CONFIGURATION)
            options, values = find("task", config["task"]).options, dict(config["task_options"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        types = {option.name: option.type for option in options}
        return options, {name: value for name, value in values.items() if name in types and is_of(types[name], value)}
    return None
