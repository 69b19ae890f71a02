"""Recipes: every one can be built and learns; options are read as the constructors have them."""

import inspect

import pytest
import torch

import memtape
from memtape.catalog.options import options_of, options_of_record
from memtape.catalog.registry import MODELS, RECIPES, TASKS, UnknownNameError, find, recipe_for
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.training.loop import train
from memtape.training.network_traits import input_kind
from memtape.training.settings import TrainSettings

SMALL_TASK = {
    "copy": {"max_length": 3},
    "repeat-copy": {"max_length": 2, "max_repeats": 2},
    "associative-recall": {"max_length": 2},
    "ngrams": {"min_length": 20, "max_length": 20, "order": 1},
    "priority-sort": {"min_length": 4, "max_length": 4},
    "adding": {"min_length": 8, "max_length": 8},
    "copy-memory": {"min_length": 4, "max_length": 4, "remembered": 2},
    "digits": {},
    "char-lm": {"window": 12},
    "sentiment": {},
    "scan": {},
    "boolean": {"max_length": 3},
    "chorales": {},
    "narma": {"min_length": 300, "max_length": 300},
    "allocation": {"min_length": 2, "max_length": 2, "vectors": 2},
    "repeat-copy-dnc": {},
    "independent-copies": {"max_length": 2, "max_vectors": 3},
    "key-value": {"max_length": 2},
    "traversal": {"max_lesson": 1},
    "shortest-path": {"max_lesson": 1},
    "inference": {"max_lesson": 1, "questions": 1, "planning": 1},
}
MACHINES = ("ntm", "dnc", "bidnc", "sam", "dam", "sdnc")
FORWARD = [
    model for model in MODELS if model not in (*MACHINES, "bilstm", "bigru", "seq2seq", "treelstm", "recursive", "rntn")
]
"""Networks that the chapter trains on every one of its five tasks."""
GRAVES_TASKS = ("copy", "repeat-copy", "associative-recall", "ngrams", "priority-sort")


@pytest.mark.parametrize("entry", [*MODELS.values(), *TASKS.values()], ids=lambda entry: entry.name)
def test_options_read_from_the_source_are_those_of_the_constructor(entry):
    signature = inspect.signature(entry.load())
    keywords = [p for p in signature.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert [(o.name, o.type, o.default) for o in entry.options] == [(p.name, p.annotation, p.default) for p in keywords]
    assert all(option.help for option in entry.options)


@pytest.mark.parametrize("entry", MODELS.values(), ids=lambda entry: entry.name)
def test_a_model_has_a_public_name(entry):
    """A card says how to load what was shared by that name."""
    assert getattr(memtape, entry.load().__name__) is entry.load()


@pytest.mark.parametrize("entry", [TASKS[name] for name in GRAVES_TASKS], ids=lambda entry: entry.name)
def test_a_task_is_tested_and_pictured_beyond_its_training_lengths(entry):
    longest = entry.load()().lengths[1]
    assert entry.picture_length > longest
    assert min(entry.test_lengths) <= longest < max(entry.test_lengths)


def test_training_settings_are_all_documented():
    options = {option.name: option for option in options_of_record(TrainSettings)}
    assert options["steps"].type is int
    assert all(option.help for option in options.values())


def test_a_path_to_no_class_is_refused():
    with pytest.raises(ValueError, match=r"memtape\.models\.ntm\.ntm:Nothing is no class and no function; correct"):
        options_of("memtape.models.ntm.ntm:Nothing")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_a_recipe_names_options_that_exist(recipe):
    for kind, values in (("model", recipe.model_options), ("task", recipe.task_options)):
        assert set(values) <= {option.name for option in find(kind, getattr(recipe, kind)).options}
    TrainSettings(**recipe.train)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_a_recipe_learns(recipe):
    """Twenty updates on a small form of the task, always the same batch, lower the loss."""
    small = {"slots": 8, "controller_size": 20} if recipe.model in MACHINES else {"hidden_size": 16}
    if recipe.train.get("optimizer") == "ridge":
        pytest.skip("it is solved, and does not learn; tests/training/test_closed_form.py")
    if recipe.model == "ntm":
        small |= {"read_heads": 1, "write_heads": 1}
    experiment = Experiment(
        model=recipe.model,
        task=recipe.task,
        model_options={**recipe.model_options, **small},
        task_options={**recipe.task_options, **SMALL_TASK[recipe.task]},
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
        record=lambda _: None,
        watch=lambda _, scores: losses.append(scores["loss"]),
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


def test_the_first_recipe_of_the_ntm_has_the_lstm_controller():
    assert recipe_for("ntm", "copy").name == "ntm-copy"


def test_an_unknown_name_says_which_is_near():
    with pytest.raises(UnknownNameError, match='there is no task "coppy"; did you mean "copy"'):
        find("task", "coppy")
    with pytest.raises(UnknownNameError, match='there is no model "xyz"; the models are ntm, dnc, bidnc, sam'):
        find("model", "xyz")


def tiny(**changes):
    settings = {"model": "ntm", "task": "copy", "model_options": {"slots": 4}, "task_options": {}, "seed": 5}
    return Experiment(**{**settings, "train": TrainSettings(), **changes})


def test_an_experiment_survives_being_written_down():
    experiment = tiny(recipe="ntm-copy")
    assert Experiment.from_config(experiment.config()) == experiment


def test_the_seed_draws_the_weights():
    first, again, other = (tiny(seed=seed).build()[0].state_dict() for seed in (5, 5, 6))
    name = "cell.machine.to_output.weight"
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])


def test_an_unknown_option_is_refused():
    with pytest.raises(ExperimentError, match="copy has no option bitz; its options are bits"):
        tiny(task_options={"bitz": 1}).build()


def test_a_value_that_cannot_be_is_refused():
    with pytest.raises(ExperimentError, match="slots of NTMCell is 0, but it must be at least 1"):
        tiny(model_options={"slots": 0}).build()


@pytest.mark.parametrize("config", [{}, [], {"train": {"steps": 0}}, {"train": {}, "model": "ntm"}])
def test_a_configuration_that_is_none_is_refused(config):
    with pytest.raises(ExperimentError, match=r"is not that of an experiment \(.*\); restore config\.json"):
        Experiment.from_config(config)
