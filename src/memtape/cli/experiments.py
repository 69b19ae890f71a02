"""Experiments: a command for each model and task, with the options of both, read off their constructors."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from memtape.catalog.options import Option, options_of_record
from memtape.catalog.recipe import Recipe
from memtape.catalog.recipe_reader import read_recipe
from memtape.catalog.registry import MODELS, TASKS, Entry, find, recipe_for
from memtape.cli.main import UsageError
from memtape.cli.options import options_class
from memtape.training.settings import TrainSettings

if TYPE_CHECKING:
    from memtape.experiments.experiment import Experiment

CarryOut = Callable[["Experiment", Mapping[str, Any]], int]


def word(name: str, kind: Any, default: Any, text: str) -> inspect.Parameter:
    """Return one option of a command, beside those of the model, the task and the training."""
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, Parameter(help=text)], default=default
    )


DATA_DIR_VARIABLE = "MEMTAPE_DATA_DIR"

DATA_DIR = word(
    "data_dir",
    Path | None,
    None,
    f"Folder with the data of tasks on real input; without it that of the environment variable {DATA_DIR_VARIABLE}, and "
    "without both they make up data of the same kind.",
)


def usual_data_dir() -> str | None:
    """Return the folder of data that the environment names for all tasks."""
    folder = os.environ.get(DATA_DIR_VARIABLE)
    return str(Path(folder).absolute()) if folder else None


def with_data(task: Entry, options: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return the options of a task, told where its data is.

    The folder of the environment is for all tasks: one without data is not told it, nor one that an option or a file told
    another folder.

    Raises:
        UsageError: the command line names a folder for a task without data.
    """
    if "data_dir" not in options:
        if folder is not None:
            raise UsageError(f"--data-dir is {folder}, but {task.name} reads no data; leave it out")
        return dict(options)
    known = options["data_dir"] or usual_data_dir() if folder is None else str(folder.absolute())
    return {**options, "data_dir": known}


def add_experiments(
    app: App,
    own: Sequence[inspect.Parameter],
    carry_out: CarryOut,
    *,
    recipe_name: str | None,
    words: Sequence[str],
) -> App:
    """Give a command its models and their tasks, and return it.

    Args:
        app: the command.
        own: options of this command alone; one named "seed" is the experiment's.
        carry_out: does the work; receives the experiment and the values of `own`, and returns the exit code.
        recipe_name: the recipe that was asked for, by name or as a TOML file.
        words: the command line; tasks and options are built for the models and tasks that it names.

    Raises:
        UnknownNameError: a recipe that does not exist.
        RecipeError: a file that is no recipe for the model and the task.
    """
    file = Path(recipe_name).absolute() if recipe_name and recipe_name.endswith(".toml") else None
    asked = find("recipe", recipe_name) if recipe_name and file is None else None
    for model in MODELS.values():
        tasks = App(name=model.name, help=model.summary)
        for task in TASKS.values() if model.name in words else ():
            if task.name in words:
                own_recipe = None if file is None else read_recipe(file, name=str(file), model=model, task=task)
                recipe = own_recipe or asked or recipe_for(model.name, task.name)
                tasks.command(_command(model, task, recipe, own, carry_out), name=task.name, help=task.summary)
            else:
                tasks.command(App(name=task.name, help=task.summary))
        app.command(tasks)
    return app


def _command(
    model: Entry, task: Entry, recipe: Recipe | None, own: Sequence[inspect.Parameter], carry_out: CarryOut
) -> Any:
    """Return the function behind `memtape COMMAND MODEL TASK`."""

    def command(**words: Any) -> int:
        given = {parameter.name: words.get(parameter.name, parameter.default) for parameter in parameters}
        from memtape.experiments.experiment import Experiment, ExperimentError, settings_from

        if recipe is not None and (recipe.model, recipe.task) != (model.name, task.name):
            raise ExperimentError(
                f"the recipe {recipe.name} is for {recipe.model} on {recipe.task}, not for {model.name} on {task.name}; "
                f"choose one of the two, or leave --recipe out"
            )
        experiment = Experiment(
            model=model.name,
            task=task.name,
            model_options=asdict(given["model"]),
            task_options=with_data(task, asdict(given["task"]), given["data_dir"]),
            train=settings_from(asdict(given["train"])),
            seed=given.get("seed", 0),
            recipe=recipe.name if recipe else None,
        )
        return carry_out(experiment, {parameter.name: given[parameter.name] for parameter in own})

    parameters = options_of_experiments(own, model.options, task.options, recipe)
    return with_signature(command, parameters)


def options_of_experiments(
    own: Sequence[inspect.Parameter],
    model_options: tuple[Option, ...],
    task_options: tuple[Option, ...],
    recipe: Recipe | None = None,
) -> list[inspect.Parameter]:
    """Return what a command for experiments is told, with the values of a recipe."""

    def part(name: str, options: tuple[Option, ...], values: Any) -> inspect.Parameter:
        record = options_class(f"{name.title()}Options", options, values)
        return inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[record, Parameter(group=f"--{name}")],
            default=record(),
        )

    return [
        *own,
        word("config", Path | None, None, "TOML file with the tables [model], [task] and [train]."),
        DATA_DIR,
        word("recipe", str | None, None, "Recipe to start from: a name of `memtape recipes`, or a TOML file."),
        part("model", model_options, recipe.model_options if recipe else {}),
        part("task", task_options, recipe.task_options if recipe else {}),
        part("train", options_of_record(TrainSettings), recipe.train if recipe else {}),
    ]


def with_signature(command: Callable[..., Any], parameters: Sequence[inspect.Parameter]) -> Callable[..., Any]:
    """Return a function of any words as one that takes these parameters."""
    command.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command
