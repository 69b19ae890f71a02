"""Configuration file: `--config` reads an experiment that was written to a file."""

from dataclasses import asdict, replace

import pytest

from memtape.catalog.registry import MODELS, RECIPES, TASKS, recipe_for
from memtape.cli.main import run
from memtape.experiments.configuration_file import as_toml
from memtape.experiments.experiment import Experiment
from memtape.training.settings import TrainSettings


def resolved(recipe, **changes):
    """Return the experiment of a recipe with all options spelled out."""
    model = {option.name: option.default for option in MODELS[recipe.model].options}
    task = {option.name: option.default for option in TASKS[recipe.task].options}
    return Experiment(
        model=recipe.model,
        task=recipe.task,
        model_options={**model, **recipe.model_options},
        task_options={**task, **recipe.task_options},
        train=TrainSettings(**{**asdict(TrainSettings()), **recipe.train, **changes}),
        recipe=recipe.name,
    )


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(
            recipe, id=name, marks=[] if recipe == recipe_for(recipe.model, recipe.task) else pytest.mark.every_form
        )
        for name, recipe in RECIPES.items()
    ],
)
def test_the_command_reads_the_same_experiment(recipe, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr("memtape.cli.train.train", lambda experiment, _: read.append(experiment) or 0)
    experiment = resolved(recipe, learning_rate=1e-5, final_rate=1 / 3, threads=2, validate_every=10)
    file = tmp_path / "best.toml"
    file.write_text(as_toml(experiment, "A remark."))
    assert run(["train", recipe.model, recipe.task, "--config", str(file), "--seed", "7"]) == 0
    assert read == [replace(experiment, seed=7)]


def test_the_remark_is_at_the_top():
    assert as_toml(resolved(RECIPES["ntm/copy"]), "A remark.").startswith(
        '# A remark.\nrecipe = "ntm/copy"\n\n[model]\n'
    )
