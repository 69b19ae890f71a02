"""Reproduction: build the experiment of a recipe, and turn a sweep over its seeds into a result of the ledger."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from memtape.catalog.recipe import Recipe
from memtape.catalog.registry import find
from memtape.core.score import Score
from memtape.experiments.experiment import Experiment, settings_from
from memtape.experiments.ledger import Result
from memtape.experiments.run_folder.data_of_run import recorded_data
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import EVALUATION, Run
from memtape.experiments.sweep.report import report_of
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
    return [*weights, *(name for name in changed if name not in WITHOUT_EFFECT)]


def data_of(experiment: Experiment) -> str | None:
    """Return "real" or "synthetic" for a task that reads data, None for others."""
    if "data_dir" not in experiment.task_options:
        return None
    return "synthetic" if experiment.task_options["data_dir"] is None else "real"


def result_of_sweep(recipe: Recipe, plan: Plan, only: Configuration, *, jobs: int) -> Result:
    """Return the result of a finished sweep over the seeds of a recipe.

    Args:
        recipe: the recipe.
        plan: the plan of the sweep, without a space.
        only: the single configuration.
        jobs: number of training runs at a time.
    """
    (reported,) = report_of(plan, [only])["configurations"]
    where, data = environment(), data_of(plan.experiment)
    seeds = f"{plan.seeds[0]}:{plan.seeds[-1] + 1}"
    words = ["memtape reproduce", recipe.name, "--seeds", seeds, "--jobs", str(jobs)]
    return Result(
        recipe=recipe.name,
        model=recipe.model,
        task=recipe.task,
        command=" ".join([*words, *(["--data-dir DATA_DIR"] if data == "real" else [])]),
        data=data,
        data_record=_data_record(only),
        commit=where["commit"],
        hardware=f"{where['processor']}, {where['cores']} cores, {jobs} at a time, 1 thread each",
        environment={name: where[name] for name in ("memtape", "python", "torch")},
        seeds=[_seed(row, only.training_runs[row["seed"]].folder, only.scored) for row in reported["rows"]],
    )


def _data_record(only: Configuration) -> dict[str, Any] | None:
    """Return the data that the training runs recorded; None for a task that its generator defines."""
    finished = (run.folder for run in only.training_runs.values() if Run(run.folder).finished)
    record = next((recorded_data(Run(folder)) for folder in finished), None)
    return None if record is None else record.to_json()


def _seed(row: Mapping[str, Any], folder: Path, scored: tuple[Score, ...]) -> dict[str, Any]:
    """Return a row of the ledger for a row of a sweep's report."""
    if "failure" in row:
        return {"seed": row["seed"], "solved": False, "error": row["failure"]["last_line"]}
    names = [score.name for score in scored]
    metrics = {f"validation_{name}": row[name] for name in names}
    for tested in Run(folder).read(EVALUATION):
        for name in reversed(names):
            metrics[f"{name}_{tested.get('length', 'test')}"] = round(tested[name], 4)
    kept = {name: row[name] for name in ("seed", "solved", "solved_step", "steps", "sequences", "restarts")}
    return {**kept, "seconds": round(row["seconds"], 1), "metrics": metrics}
