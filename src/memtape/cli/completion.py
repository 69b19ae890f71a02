"""Completion: shell completion of `memtape train` and `memtape sweep`."""

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from memtape.catalog.registry import MODELS, TASKS
from memtape.cli.experiment_options import parameters_of_experiments
from memtape.cli.options import union_of_options, with_signature


def add_completion(app: App, own: Sequence[inspect.Parameter]) -> App:
    """Add the models to a command, each with its options and those of all tasks, and return it.

    The completion script contains the options of every command, and each new shell reads it. With a command for every
    pair of a model and a task it would be twenty times as long.

    Args:
        app: the command.
        own: options of this command only.
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
        """Do nothing: the function of a command that exists for completion only."""

    return command
