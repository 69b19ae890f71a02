"""Pairs: every model takes a step on every task with its kind of input, and refuses every other task."""

from collections import Counter
from itertools import product

import pytest

from memtape.catalog.registry import MODELS, TASKS
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.training.evaluation import evaluate
from memtape.training.loop import train
from memtape.training.settings import TrainSettings

TRAIN = TrainSettings(steps=1, batch_size=2, validate_every=1, validation_sequences=2, device="cpu")


def fits(model, task):
    network, tested = MODELS[model].load(), TASKS[task].load()
    shown_ahead = getattr(network, "sees_ahead", False) and (tested.inputs_repeat_targets or tested.interactive)
    return bool(set(MODELS[model].card.inputs) & set(TASKS[task].card.inputs)) and not shown_ahead


EVERY = list(product(MODELS, TASKS))
FITTING = [pair for pair in EVERY if fits(*pair)]


def one_each():
    """Pair each model with the task with the fewest models so far, so that most tasks are used."""
    taken = Counter()
    for model in MODELS:
        task = min((task for one, task in FITTING if one == model), key=taken.__getitem__)
        taken[task] += 1
        yield model, task


ONE_EACH = list(one_each())


def experiment(model, task):
    small = dict(MODELS[model].card.small)
    if TASKS[task].load().interactive and "teacher_forcing" in {option.name for option in MODELS[model].options}:
        small["teacher_forcing"] = False
    return Experiment(model=model, task=task, model_options=small, task_options=TASKS[task].card.small, train=TRAIN)


@pytest.mark.parametrize(("model", "task"), [pair for pair in EVERY if pair not in FITTING], ids=str)
def test_an_incompatible_pair_is_refused(model, task):
    with pytest.raises(ExperimentError, match=rf"^{model} reads .*, but .*{task} .*; choose another model or task$"):
        experiment(model, task).build()


def step(model, task):
    network, tested = experiment(model, task).build()
    train(network, tested, TRAIN, seed=0, on_record=lambda _: None, on_step=lambda *_: None)
    scores = evaluate(network, tested, sequences=3, seed=0, split="test")
    assert set(scores) == {score.name for score in tested.scored}


@pytest.mark.parametrize(("model", "task"), ONE_EACH, ids=str)
def test_every_model_takes_a_step_on_a_compatible_task(model, task):
    step(model, task)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "task"), [pair for pair in FITTING if pair not in ONE_EACH], ids=str)
def test_a_compatible_pair_takes_a_step(model, task):
    step(model, task)
