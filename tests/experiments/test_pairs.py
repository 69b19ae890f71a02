"""Pairs: every model takes a step on every task that it fits, and refuses every other one in a sentence."""

from itertools import product

import pytest

from memtape.catalog.registry import MODELS, TASKS
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.training.evaluation import evaluate
from memtape.training.loop import train
from memtape.training.settings import TrainSettings

TREES, PAIRS, BOTH_ENDS = ("treelstm", "recursive", "rntn"), ("seq2seq",), ("bilstm", "bigru", "bidnc")
WITH_TREES, WITH_PAIRS = ("sentiment", "boolean"), ("scan",)
FORETELLING = ("ngrams", "char-lm", "scan", "chorales")
MACHINES = ("ntm", "dnc", "bidnc", "sam", "dam", "sdnc")
PLAYED = ("shortest-path",)

SMALL = {
    "copy": {"max_length": 3},
    "repeat-copy": {"max_length": 2, "max_repeats": 2},
    "associative-recall": {"max_length": 2},
    "ngrams": {"min_length": 20, "max_length": 20, "order": 1},
    "priority-sort": {"min_length": 4, "max_length": 4},
    "adding": {"min_length": 8, "max_length": 8},
    "copy-memory": {"min_length": 4, "max_length": 4, "remembered": 2},
    "char-lm": {"window": 6, "context": 2},
    "boolean": {"max_length": 2},
    "allocation": {"min_length": 2, "max_length": 2, "vectors": 2},
    "independent-copies": {"max_length": 2, "max_vectors": 3},
    "key-value": {"max_length": 2},
    "traversal": {"max_lesson": 1},
    "shortest-path": {"max_lesson": 1},
    "inference": {"max_lesson": 1, "questions": 1, "planning": 1},
    "narma": {"min_length": 30, "max_length": 30, "washout": 20},
}
TRAIN = TrainSettings(steps=1, batch_size=2, validate_every=1, validation_sequences=2, device="cpu")


def fits(model, task):
    if model in TREES:
        return task in WITH_TREES
    if model in PAIRS:
        return task in WITH_PAIRS
    return model not in BOTH_ENDS or task not in (*FORETELLING, *PLAYED)


EVERY = list(product(MODELS, TASKS))
FITTING = [pair for pair in EVERY if fits(*pair)]
ONE_EACH = [
    *(("ntm", "char-lm"), ("elman", "digits"), ("jordan", "narma"), ("lstm", "sentiment"), ("gru", "scan")),
    *(("leaky", "chorales"), ("skip", "copy-memory"), ("clockwork", "adding"), ("esn", "chorales")),
    ("orthogonal", "digits"),
    *(
        ("dnc", "traversal"),
        ("bidnc", "allocation"),
        ("sam", "inference"),
        ("dam", "key-value"),
        ("sdnc", "shortest-path"),
    ),
    *(("bilstm", "sentiment"), ("bigru", "copy"), ("seq2seq", "scan"), ("treelstm", "sentiment")),
    *(("recursive", "boolean"), ("rntn", "boolean")),
]


def experiment(model, task):
    small = {"slots": 9, "width": 3, "controller_size": 4} if model in MACHINES else {"hidden_size": 8}
    if model == "jordan" and task in PLAYED:
        small["teacher_forcing"] = False
    return Experiment(model=model, task=task, model_options=small, task_options=SMALL.get(task, {}), train=TRAIN)


@pytest.mark.parametrize(("model", "task"), [pair for pair in EVERY if pair not in FITTING], ids=str)
def test_a_pair_that_does_not_fit_is_refused(model, task):
    with pytest.raises(ExperimentError, match=rf"^{model} reads .*, but {task} .*; choose another model or task$"):
        experiment(model, task).build()


def step(model, task):
    network, exam = experiment(model, task).build()
    train(network, exam, TRAIN, seed=0, on_record=lambda _: None, on_step=lambda *_: None)
    scores = evaluate(network, exam, sequences=3, seed=0, split="test")
    assert set(scores) == {score.name for score in exam.scored}


@pytest.mark.parametrize(("model", "task"), ONE_EACH, ids=str)
def test_every_model_takes_a_step_on_a_task_that_it_fits(model, task):
    assert {one for one, _ in ONE_EACH} == set(MODELS)
    step(model, task)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "task"), [pair for pair in FITTING if pair not in ONE_EACH], ids=str)
def test_a_pair_that_fits_takes_a_step(model, task):
    step(model, task)
