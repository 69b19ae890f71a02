"""Completion: what a shell offers after `memtape train` and `memtape sweep`."""

import inspect
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from memtape.catalog.options import Option
from memtape.catalog.registry import MODELS, TASKS
from memtape.cli.experiments import options_of_experiments, with_signature


def offered(app: App, own: Sequence[inspect.Parameter]) -> App:
    """Give a command its models, each with its options and those of all tasks, and return it.

    The script of a shell holds the options of every command, and each new shell reads it: with a command for every pair of a
    model and a task it would be twenty times as long.

    Args:
        app: the command.
        own: options of this command alone.
    """
    task = inspect.Parameter(
        "task_name",
        inspect.Parameter.POSITIONAL_ONLY,
        annotation=Annotated[Literal[tuple(TASKS)], Parameter(help="What to learn.")],
    )
    options = _of_all_tasks()
    for model in MODELS.values():
        parameters = [task, *options_of_experiments(own, model.options, options)]
        app.command(with_signature(_nothing(), parameters), name=model.name, help=model.summary)
    return app


def _of_all_tasks() -> tuple[Option, ...]:
    """Return the options of all tasks, each name once, with all its values."""
    named: dict[str, list[Option]] = {}
    for entry in TASKS.values():
        for option in entry.options:
            named.setdefault(option.name, []).append(option)
    return tuple(replace(same[0], type=reduce(or_, (option.type for option in same))) for same in named.values())


def _nothing() -> Any:
    def command(*_: Any, **__: Any) -> None:
        """Stand for a command whose words are completed."""

    return command
