"""Completion: the words that a shell offers after `memtape train` and `memtape sweep`."""

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from memtape.catalog.registry import MODELS, TASKS
from memtape.cli.experiment_options import parameters_of_experiments
from memtape.cli.options import union_of_options, with_signature


def add_completion(app: App, own: Sequence[inspect.Parameter]) -> App:
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
        annotation=Annotated[Literal[tuple(TASKS)], Parameter(help="Task to learn.")],
    )
    options = union_of_options(entry.options for entry in TASKS.values())
    for model in MODELS.values():
        parameters = [task, *parameters_of_experiments(own, model.options, options)]
        app.command(with_signature(_placeholder(), parameters), name=model.name, help=model.summary)
    return app


def _placeholder() -> Any:
    def command(*_: Any, **__: Any) -> None:
        """Stand for a command whose words are completed."""

    return command
