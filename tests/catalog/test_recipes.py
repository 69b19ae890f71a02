"""Recipes: every recipe can be built and learns; options are read from the constructors."""

import inspect

import pytest
import torch

import memtape
from memtape.catalog.options import options_of_record
from memtape.catalog.registry import MODELS, RECIPES, TASKS, UnknownNameError, find, recipe_for
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.training.loop import train
from memtape.training.network_traits import input_kind
from memtape.training.settings import TrainSettings

LEARNING = {"slots": 8, "controller_size": 20, "hidden_size": 16, "read_heads": 1, "write_heads": 1}
"""Sizes with which a network learns in twenty steps."""
STEPPING = [name for name, entry in MODELS.items() if entry.module.startswith("memtape.models.recurrent")]
FORWARD = [name for name in STEPPING if not getattr(MODELS[name].load(), "sees_ahead", False)]
"""Networks that the chapter trains on all of its five tasks."""
GRAVES_TASKS = ("copy", "repeat-copy", "associative-recall", "ngrams", "priority-sort")


@pytest.mark.parametrize("entry", [*MODELS.values(), *TASKS.values()], ids=lambda entry: entry.name)
def test_options_read_from_the_source_are_those_of_the_constructor(entry):
    signature = inspect.signature(entry.load())
    keywords = [p for p in signature.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert [(o.name, o.type, o.default) for o in entry.options] == [(p.name, p.annotation, p.default) for p in keywords]
    assert all(option.help for option in entry.options)


@pytest.mark.parametrize("entry", MODELS.values(), ids=lambda entry: entry.name)
def test_a_model_has_a_public_name(entry):
    """A shared model is loaded by the name of its card."""
    assert getattr(memtape, entry.load().__name__) is entry.load()


@pytest.mark.parametrize("entry", [TASKS[name] for name in GRAVES_TASKS], ids=lambda entry: entry.name)
def test_a_task_is_tested_and_drawn_beyond_its_training_lengths(entry):
    longest = entry.load()().lengths[1]
    assert entry.picture_length > longest
    assert min(entry.test_lengths) <= longest < max(entry.test_lengths)


def test_training_settings_are_all_documented():
    options = {option.name: option for option in options_of_record(TrainSettings)}
    assert options["steps"].type is int
    assert all(option.help for option in options.values())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_a_recipe_names_options_that_exist(recipe):
    for kind, values in (("model", recipe.model_options), ("task", recipe.task_options)):
        assert set(values) <= {option.name for option in find(kind, getattr(recipe, kind)).options}
    TrainSettings(**recipe.train)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_published_numbers_have_a_source_and_a_metric_that_evaluation_gives(recipe):
    scores = {score.name for score in TASKS[recipe.task].load().scored}
    own = recipe.task_options.get("test_length")
    lengths = (*TASKS[recipe.task].test_lengths, *([] if own is None else [own]))
    ends = [str(length) for length in lengths] if lengths else ["test"]
    metrics = {f"validation_{score}" for score in scores} | {f"{score}_{end}" for score in scores for end in ends}
    assert set(recipe.published) <= metrics
    assert not recipe.published or recipe.source


def test_a_recipe_is_found_by_its_former_name():
    before = {
        "ntm-copy": "ntm/copy",
        "ntm-feedforward-repeat-copy": "ntm/repeat-copy-feedforward",
        "dnc-feedforward-copy": "dnc/copy-feedforward",
        "dnc-allocation": "dnc/allocation-keeping",
        "dnc-erasing-allocation": "dnc/allocation",
        "lstm-phrases": "lstm/sentiment-phrases",
        "seq2seq-scan-length": "seq2seq/scan-length",
    }
    assert {name: find("recipe", name).name for name in before} == before
    formerly = [recipe.formerly for recipe in RECIPES.values() if recipe.formerly is not None]
    assert len(set(formerly)) == len(formerly) == 109


def test_every_model_and_task_with_a_recipe_has_one_without_a_variant():
    assert all(recipe_for(recipe.model, recipe.task) for recipe in RECIPES.values())
    assert recipe_for("dnc", "allocation").model_options["deallocate"] is True
    assert recipe_for("bidnc", "copy") is None


FIRST = {(recipe.model, recipe.task): recipe for recipe in reversed(list(RECIPES.values()))}
"""The first recipe of each model and task."""


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(recipe, marks=() if recipe in FIRST.values() else pytest.mark.every_form, id=recipe.name)
        for recipe in RECIPES.values()
    ],
)
def test_a_recipe_learns(recipe):
    """Twenty steps on a small form of the task with one fixed batch reduce the loss."""
    known = {option.name for option in MODELS[recipe.model].options}
    small = {name: size for name, size in LEARNING.items() if name in known}
    if recipe.train.get("optimizer") == "ridge":
        pytest.skip("it has a closed-form solution; tests/training/optim/test_closed_form.py")
    experiment = Experiment(
        model=recipe.model,
        task=recipe.task,
        model_options={**recipe.model_options, **small},
        task_options={**recipe.task_options, **TASKS[recipe.task].card.small},
        train=TrainSettings(**{**recipe.train, "steps": 20, "validation_sequences": 1, "device": "cpu"}),
    )
    model, task = experiment.build()
    batch = task.batch(0, 16, input_kind=input_kind(model))
    task.batch = lambda *_, **__: batch
    losses = []
    train(
        model,
        task,
        experiment.train,
        seed=0,
        on_record=lambda _: None,
        on_step=lambda _, scores: losses.append(scores["loss"]),
    )
    assert len(losses) == 20
    assert losses[-1] < losses[0] - 0.002


@pytest.mark.parametrize("task", ["adding", "copy-memory", "digits", "char-lm", "sentiment"])
def test_every_family_of_cells_has_a_recipe_for_the_chapter_s_tasks(task):
    assert all(recipe_for(model, task) for model in FORWARD)


def test_the_ntm_has_a_recipe_for_every_controller_and_the_lstm_for_all_of_its_tasks():
    assert all(recipe_for("lstm", task) for task in GRAVES_TASKS)
    for task in GRAVES_TASKS:
        controllers = {r.model_options["controller"] for r in RECIPES.values() if (r.model, r.task) == ("ntm", task)}
        assert controllers == {"lstm", "feedforward", "gru", "rnn"}


def test_the_recipe_of_the_ntm_without_a_variant_has_the_lstm_controller():
    assert recipe_for("ntm", "copy").name == "ntm/copy"
    assert recipe_for("ntm", "copy").model_options["controller"] == "lstm"


def test_the_error_for_an_unknown_name_suggests_a_similar_one():
    with pytest.raises(UnknownNameError, match='there is no task "coppy"; did you mean "copy"'):
        find("task", "coppy")
    with pytest.raises(UnknownNameError, match=r'there is no model "xyz"; the models are .*bidnc, dnc, .*ntm, bigru'):
        find("model", "xyz")


def tiny(**changes):
    settings = {"model": "ntm", "task": "copy", "model_options": {"slots": 4}, "task_options": {}, "seed": 5}
    return Experiment(**{**settings, "train": TrainSettings(), **changes})


def test_an_experiment_written_to_a_file_is_read_back():
    experiment = tiny(recipe="ntm/copy")
    assert Experiment.from_config(experiment.config()) == experiment


def test_the_seed_determines_the_weights():
    first, again, other = (tiny(seed=seed).build()[0].state_dict() for seed in (5, 5, 6))
    name = "cell.machine.to_output.weight"
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])


def test_an_unknown_option_is_refused():
    with pytest.raises(ExperimentError, match="copy has no option bitz; its options are bits"):
        tiny(task_options={"bitz": 1}).build()


def test_an_invalid_value_is_refused():
    with pytest.raises(ExperimentError, match="slots of NTMCell is 0, but it must be at least 1"):
        tiny(model_options={"slots": 0}).build()


@pytest.mark.parametrize("config", [{}, [], {"train": {"steps": 0}}, {"train": {}, "model": "ntm"}])
def test_an_invalid_configuration_is_refused(config):
    with pytest.raises(ExperimentError, match=r"is not that of an experiment \(.*\); restore config\.json"):
        Experiment.from_config(config)
