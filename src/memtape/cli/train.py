"""`memtape train`: one command for each model and task, with the options of both."""

import inspect
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from memtape.cli.options import options_class
from memtape.recipes.options import Option, options_of_record
from memtape.recipes.recipe import Recipe
from memtape.recipes.registry import MODELS, TASKS, Entry, find, recipe_for
from memtape.training.settings import TrainSettings

HELP = """Train a model on a task, until it is solved.

A tuned recipe is used where one exists. Values on the command line win over those of a --config file, which win over the
recipe's, which win over the constructors' own; `memtape train MODEL TASK --help` shows all options with the values that hold.
"""


def train_app(recipe_name: str | None, words: Sequence[str] | None) -> App:
    """Return the command `train` with its models and their tasks.

    Args:
        recipe_name: the recipe that was asked for by name.
        words: the command line; options are built for the models and tasks that it names, None builds those of all.
    """
    asked = find("recipe", recipe_name) if recipe_name else None
    app = App(name="train", help=HELP)
    for model in MODELS.values():
        tasks = App(name=model.name, help=model.summary)
        for task in TASKS.values():
            if words is None or (model.name in words and task.name in words):
                recipe = asked or recipe_for(model.name, task.name)
                tasks.command(_command(model, task, recipe), name=task.name, help=task.summary)
            else:
                tasks.command(App(name=task.name, help=task.summary))
        app.command(tasks)
    return app


def _command(model: Entry, task: Entry, recipe: Recipe | None) -> Any:
    """Return the function behind `memtape train MODEL TASK`."""

    def command(**words: Any) -> int:
        given = {parameter.name: words.get(parameter.name, parameter.default) for parameter in parameters}
        from memtape.cli.training import carry_out
        from memtape.recipes.experiment import Experiment, ExperimentError, settings_from

        if recipe is not None and (recipe.model, recipe.task) != (model.name, task.name):
            raise ExperimentError(
                f"the recipe {recipe.name} is for {recipe.model} on {recipe.task}, not for {model.name} on {task.name}; "
                f"choose one of the two, or leave --recipe out"
            )
        experiment = Experiment(
            model=model.name,
            task=task.name,
            model_options=asdict(given["model"]),
            task_options=asdict(given["task"]),
            train=settings_from(asdict(given["train"])),
            seed=given["seed"],
            recipe=recipe.name if recipe else None,
        )
        return carry_out(experiment, given["out"])

    def part(name: str, options: tuple[Option, ...], values: Any) -> inspect.Parameter:
        record = options_class(f"{name.title()}Options", options, values)
        return inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[record, Parameter(group=f"--{name}")],
            default=record(),
        )

    def plain(name: str, kind: Any, default: Any, text: str) -> inspect.Parameter:
        return inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, Parameter(help=text)], default=default
        )

    parameters = [
        plain("seed", int, 0, "Seed of the weights and the data."),
        plain("out", Path | None, None, "Run folder to make; without it, a new one under runs/."),
        plain("config", Path | None, None, "TOML file with the tables [model], [task] and [train]."),
        plain("recipe", str | None, None, "Recipe to begin from, by name; `memtape recipes` lists them."),
        part("model", model.options, recipe.model_options if recipe else {}),
        part("task", task.options, recipe.task_options if recipe else {}),
        part("train", options_of_record(TrainSettings), recipe.train if recipe else {}),
    ]
    command.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command
