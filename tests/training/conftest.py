"""A small task, a small network and a short training run."""

import pytest
import torch

from memtape import NTM, Copy
from memtape.training.loop import train
from memtape.training.settings import TrainSettings


@pytest.fixture
def task():
    return Copy(bits=2, max_length=3)


@pytest.fixture
def model(task):
    torch.manual_seed(0)
    return NTM(task.input_size, task.output_size, slots=6, width=4, controller_size=8)


@pytest.fixture
def short():
    """Settings of a short training run."""
    return {"steps": 6, "batch_size": 4, "validate_every": 2, "validation_sequences": 8, "device": "cpu"}


@pytest.fixture
def run(short):
    """A function that trains, and returns the outcome, the records, and the loss and scores of each step."""

    def run(model, task, *, checkpoints=None, records=None, **settings):
        records, steps = [] if records is None else records, []
        outcome = train(
            model,
            task,
            TrainSettings(**{**short, **settings}),
            seed=0,
            on_record=records.append,
            on_step=lambda step, scores: steps.append((step, scores)),
            checkpoints=checkpoints,
        )
        return outcome, records, steps

    return run
