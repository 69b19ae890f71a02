"""Experiment options: a command for each model and task, with the options of both, read from their constructors."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from memtape.catalog.options import Option, options_of_record
from memtape.catalog.recipe import Recipe
from memtape.catalog.recipe_reader import read_recipe
from memtape.catalog.registry import MODELS, TASKS, Entry, find, recipe_for
from memtape.cli.options import group_of_options, named_option, with_signature
from memtape.core.given_path import given_path
from memtape.experiments.data_dir import VARIABLE, with_data_dir
from memtape.training.settings import TrainSettings

if TYPE_CHECKING:
    from memtape.experiments.experiment import Experiment

RunExperiment = Callable[["Experiment", Mapping[str, Any]], int]

DATA_DIR = named_option(
    "data_dir",
    Path | None,
    None,
    f"Folder with the data of tasks on real input; by default that of the environment variable {VARIABLE}, and "
    "without it they generate synthetic data of the same kind.",
)


def add_experiments(
    app: App,
    own: Sequence[inspect.Parameter],
    run_experiment: RunExperiment,
    *,
    recipe_name: str | None,
    words: Sequence[str],
) -> App:
    """Add the models and their tasks to a command, and return it.

    Args:
        app: the command.
        own: options of this command only; one named "seed" is the seed of the experiment.
        run_experiment: receives the experiment and the values of `own`, and returns the exit code.
        recipe_name: the requested recipe, by name or as a TOML file.
        words: the command line; tasks and options are built for the models and tasks that it names.

    Raises:
        UnknownNameError: the recipe does not exist.
        RecipeError: the file is not a recipe for the model and the task.
    """
    file = given_path(recipe_name).absolute() if recipe_name and recipe_name.endswith(".toml") else None
    asked = find("recipe", recipe_name) if recipe_name and file is None else None
    for model in MODELS.values():
        tasks = App(name=model.name, help=model.summary)
        for task in TASKS.values() if model.name in words else ():
            if task.name in words:
                own_recipe = None if file is None else read_recipe(file, name=str(file), model=model, task=task)
                recipe = own_recipe or asked or recipe_for(model.name, task.name)
                tasks.command(_command(model, task, recipe, own, run_experiment), name=task.name, help=task.summary)
            else:
                tasks.command(App(name=task.name, help=task.summary))
        app.command(tasks)
    return app


def _command(
    model: Entry, task: Entry, recipe: Recipe | None, own: Sequence[inspect.Parameter], run_experiment: RunExperiment
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
            task_options=with_data_dir(task.name, asdict(given["task"]), flag=given["data_dir"]),
            train=settings_from(asdict(given["train"])),
            seed=given.get("seed", 0),
            recipe=recipe.name if recipe else None,
        )
        return run_experiment(experiment, {parameter.name: given[parameter.name] for parameter in own})

    parameters = parameters_of_experiments(own, model.options, task.options, recipe)
    return with_signature(command, parameters)


def parameters_of_experiments(
    own: Sequence[inspect.Parameter],
    model_options: tuple[Option, ...],
    task_options: tuple[Option, ...],
    recipe: Recipe | None = None,
) -> list[inspect.Parameter]:
    """Return the parameters of a command for experiments, with the values of a recipe as defaults."""
    return [
        *own,
        named_option("config", Path | None, None, "TOML file with the tables [model], [task] and [train]."),
        DATA_DIR,
        named_option("recipe", str | None, None, "Recipe to start from: a name of `memtape recipes`, or a TOML file."),
        group_of_options("model", model_options, recipe.model_options if recipe else {}),
        group_of_options("task", task_options, recipe.task_options if recipe else {}),
        group_of_options("train", options_of_record(TrainSettings), recipe.train if recipe else {}),
    ]
