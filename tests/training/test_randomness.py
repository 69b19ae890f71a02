"""Randomness: the generators of each process have states of their own, also after a restart."""

import random
from dataclasses import replace

import numpy
import pytest
import torch

from memtape.training.loop import train
from memtape.training.parallel.processes import Processes
from memtape.training.randomness import random_states, seed_generators
from memtape.training.settings import TrainSettings
from memtape.training.state import TrainingState

GENERATORS = {"torch": lambda: torch.rand(()).item(), "python": random.random, "numpy": numpy.random.rand}


@pytest.fixture(params=GENERATORS)
def draw(request):
    """A function that draws from one of the generators."""
    return GENERATORS[request.param]


@pytest.fixture
def settings(short):
    return TrainSettings(**short)


def process(settings, index):
    """Return one of several processes, which has a whole batch."""
    own = Processes(settings)
    own.index, own.share = index, lambda rows: (0, rows)
    return own


@pytest.fixture
def unvalidated(monkeypatch):
    """Leave out the validations, in which all processes would have to take part."""
    scores = {"cost_bits": 0.0, "wrong_bits": 0.0}
    monkeypatch.setattr("memtape.training.loop.validate", lambda state, **_: state.keep_as_best(scores))


def drawn(model, task, settings, draw, *, index=0, seed=3):
    """Return what a process draws after each step of training."""
    seen = []
    options = {"on_record": lambda _: None, "on_step": lambda *_: seen.append(draw())}
    train(model, task, settings, seed=seed, processes=process(settings, index), **options)
    return seen


@pytest.mark.usefixtures("unvalidated")
def test_each_process_and_each_seed_draws_other_numbers(model, task, settings, draw):
    first = drawn(model, task, settings, draw)
    assert drawn(model, task, settings, draw) == first
    others = [drawn(model, task, settings, draw, index=1), drawn(model, task, settings, draw, seed=30)]
    assert not {number for other in others for number in other} & set(first)
    assert len(set(first)) == len(first)


def test_a_process_resumes_from_its_own_state(model, task, settings, draw):
    states, shares = [TrainingState(model, task, settings, process(settings, index)) for index in range(2)], []
    for index, state in enumerate(states):
        seed_generators(index)
        checkpoint = state.checkpoint()
        shares += checkpoint.shares
    following = []
    for index in range(2):
        seed_generators(index)
        following.append(draw())
    whole = replace(checkpoint, shares=tuple(shares))
    for index, state in enumerate(states):
        seed_generators(100)
        state.restore(whole)
        assert draw() == following[index]


@pytest.mark.parametrize("draw", ["torch", "numpy"], indirect=True)  # checks of annotations draw from that of Python
def test_a_process_that_was_not_there_before_keeps_its_own_state(model, task, settings, draw):
    checkpoint = TrainingState(model, task, settings, process(settings, 0)).checkpoint()
    added = TrainingState(model, task, settings, process(settings, 1))
    seed_generators(5)
    expected = draw()
    seed_generators(5)
    added.restore(checkpoint)
    assert draw() == expected


def test_the_states_of_generators_are_copies():
    tensors, plain = random_states()
    copies = (
        {name: tensor.clone() for name, tensor in tensors.items()},
        {name: str(value) for name, value in plain.items()},
    )
    for draw in GENERATORS.values():
        draw()
    assert all(torch.equal(tensor, copies[0][name]) for name, tensor in tensors.items())
    assert {name: str(value) for name, value in plain.items()} == copies[1]
