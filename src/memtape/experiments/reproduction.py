"""Reproduction: build the experiment of a recipe, and turn a sweep over its seeds into a result of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from memtape.catalog.recipe import Recipe
from memtape.catalog.registry import find
from memtape.core.data_record import DataRecord, joined_records
from memtape.experiments.experiment import Experiment, settings_from
from memtape.experiments.ledger import Result
from memtape.experiments.run_folder.data_of_run import recorded_data
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import EVALUATION, Run
from memtape.experiments.sweep.report import row_of
from memtape.experiments.sweep.search_space import Value
from memtape.experiments.sweep.sweep import Configuration, Plan
from memtape.training.settings import TrainSettings

WITHOUT_EFFECT = (
    *("train.keep", "train.save_every", "train.checkpoint_every", "train.patience", "train.tracker"),
    *("train.device", "train.threads", "task.data_dir"),
)
"""Options that change numbers by rounding only; whether data is real is checked separately."""


def experiment_of(recipe: Recipe) -> Experiment:
    """Return the experiment of a recipe, with the values of all options."""
    model = {option.name: option.default for option in find("model", recipe.model).options}
    task = {option.name: option.default for option in find("task", recipe.task).options}
    return Experiment(
        model=recipe.model,
        task=recipe.task,
        model_options={**model, **recipe.model_options},
        task_options={**task, **recipe.task_options},
        train=settings_from({**asdict(TrainSettings()), **recipe.train}),
        recipe=recipe.name,
    )


def changed_options(experiment: Experiment, recipe: Recipe) -> list[str]:
    """Return the options that differ from the recipe, so that the ledger's numbers do not apply to the experiment."""
    own, expected = experiment.options(), experiment_of(recipe).options()
    changed = [name for name, value in own.items() if name != "seed" and expected.get(name, value) != value]
    weights = ["weights"] if experiment.weights is not None else []
    each = () if recipe.each is None else (recipe.each[0], *recipe.each_with)
    return [*weights, *(name for name in changed if name not in (*WITHOUT_EFFECT, *each))]


def options_of_each(recipe: Recipe) -> tuple[Mapping[str, Value], ...]:
    """Return the options of each configuration with which a recipe is reproduced."""
    if recipe.each is None:
        return ({},)
    name, values = recipe.each
    options = {name: values, **recipe.each_with}
    return tuple(dict(zip(options, row, strict=True)) for row in zip(*options.values(), strict=True))


def data_of(experiment: Experiment) -> str | None:
    """Return "real" or "synthetic" for a task that reads data, None for others."""
    if "data_dir" not in experiment.task_options:
        return None
    return "synthetic" if experiment.task_options["data_dir"] is None else "real"


def result_of_sweep(recipe: Recipe, plan: Plan, configurations: Sequence[Configuration], *, jobs: int) -> Result:
    """Return the result of a finished sweep over the seeds of a recipe, and over its values of an option if it has these.

    Args:
        recipe: the recipe.
        plan: the plan of the sweep, without a space.
        configurations: the configurations, one for each value.
        jobs: number of training runs at a time.
    """
    where, data = environment(), data_of(plan.experiment)
    seeds = f"{plan.seeds[0]}:{plan.seeds[-1] + 1}"
    words = ["memtape reproduce", recipe.name, "--seeds", seeds, "--jobs", str(jobs)]
    return Result(
        recipe=recipe.name,
        model=recipe.model,
        task=recipe.task,
        command=" ".join([*words, *(["--data-dir DATA_DIR"] if data == "real" else [])]),
        data=data,
        data_record=_data_record(configurations),
        commit=where["commit"],
        hardware=f"{where['processor']}, {where['cores']} cores, {jobs} at a time, 1 thread each",
        environment={name: where[name] for name in ("memtape", "python", "torch")},
        each=None if recipe.each is None else recipe.each[0],
        seeds=[_seed(one, seed) for one in configurations for seed in one.training_runs],
    )


def _data_record(configurations: Sequence[Configuration]) -> dict[str, Any] | None:
    """Return the data that the training runs recorded, of all values; None for a task that its generator defines."""
    first = [_data_of_first_finished(one) for one in configurations]
    records = [record for record in first if record is not None]
    return joined_records(records).to_json() if records else None


def _data_of_first_finished(configuration: Configuration) -> DataRecord | None:
    finished = (run.folder for run in configuration.training_runs.values() if Run(run.folder).finished)
    return next((recorded_data(Run(folder)) for folder in finished), None)


def _seed(configuration: Configuration, seed: int) -> dict[str, Any]:
    """Return the row of the ledger for one training run."""
    training = configuration.training_runs[seed]
    row = row_of(seed, training, configuration.scored)
    value = {"each": next(iter(configuration.values.values()))} if configuration.values else {}
    if "failure" in row:
        return {**value, "seed": seed, "solved": False, "error": row["failure"]["last_line"]}
    run, names = Run(training.folder), [score.name for score in configuration.scored]
    metrics = {f"validation_{name}": row[name] for name in names}
    for tested in run.read(EVALUATION):
        for name in reversed(names):
            metrics[f"{name}_{tested.get('length', 'test')}"] = round(tested[name], 4)
    kept = {name: row[name] for name in ("seed", "solved", "solved_step", "steps", "sequences", "restarts")}
    losses = [record["loss"] for record in run.records() if record["kind"] == "train" and "loss" in record]
    training_loss = {"training_loss": round(losses[-1], 6)} if losses else {}
    return {**value, **kept, "seconds": round(row["seconds"], 1), **training_loss, "metrics": metrics}
