"""A run folder of `memtape.fit` holds what can be built again, and refuses what cannot."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from memtape import GRU, NTM, Characters, Copy, DrawnTask, Elman, TrainSettings
from memtape.catalog.registry import MODELS, TASKS
from memtape.core.score import Score
from memtape.experiments.described_experiment import described_experiment, same
from memtape.experiments.experiment import ExperimentError


@pytest.fixture
def task():
    return Copy(bits=2, max_length=3)


@pytest.fixture
def network(task):
    return Elman(task.input_size, task.output_size, hidden_size=4)


def described(model, task):
    return described_experiment(model, task, TrainSettings(), 3)


def test_every_task_is_described_by_the_arguments_that_build_it_again(network, monkeypatch):
    for entry in TASKS.values():
        task = entry.load()(**entry.card.small)
        experiment = described(network, task)
        defaults = {option.name: option.default for option in entry.options}
        assert dict(experiment.task_options) == {**defaults, **entry.card.small}, entry.name


def test_every_model_is_described_by_the_arguments_that_build_it_again(task):
    for entry in MODELS.values():
        options = {option.name: option.default for option in entry.options} | dict(entry.card.small)
        experiment = described(entry.load()(3, 3, **entry.card.small), task)
        assert experiment.model == entry.name
        assert dict(experiment.model_options) == options, entry.name


def refused(sentence, model, task):
    with pytest.raises(ExperimentError, match=re.escape(sentence)) as found:
        described(model, task)
    assert "leave run_folder out" in str(found.value)


def test_a_network_of_the_user_is_refused(task):
    class Own(Elman):
        pass

    refused("Own is no model of memtape or of a plugin", Own(4, 2, hidden_size=3), task)
    refused("Linear is no model of memtape or of a plugin", nn.Linear(4, 2), task)


def test_a_task_of_the_user_is_refused(network):
    class Ones(DrawnTask):
        scored = (Score(name="cost", label="cost", short="cost"),)
        sample = loss = weight = tally = scores_of = show = None

    refused("Ones is no task of memtape or of a plugin", network, Ones())


def test_a_changed_network_is_refused(network, task):
    network.cell = GRU(network.input_size, network.output_size, hidden_size=4).cell
    refused("Elman is not what its arguments build, so a run folder could not build it again (", network, task)


def test_a_frozen_network_is_refused(network, task):
    name, parameter = next(iter(network.named_parameters()))
    parameter.requires_grad_(False)
    refused(f"requires_grad of {name} of Elman was changed", network, task)


def test_a_changed_task_is_refused(network, task):
    task.lengths = (1, 9)
    refused("lengths of Copy was changed after it was built", network, task)
    task.lengths = (1, 3)
    described(network, task)
    task.extra = 3
    refused("extra of Copy was changed after it was built", network, task)
    del task.extra, task.lengths
    refused("lengths of Copy was changed after it was built", network, task)


def test_a_data_folder_is_absolute(network, tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("ab " * 40)
    monkeypatch.chdir(tmp_path)
    experiment = described(network, Characters(data_dir=".", file="text.txt", window=2, context=0))
    assert experiment.task_options["data_dir"] == str(tmp_path)


def test_an_option_of_another_type_is_refused(network):
    task = Copy(bits=2, max_length=3)
    task.configuration["max_length"] = 3.0
    refused("max_length of Copy is 3.0, which config.json cannot hold", network, task)


def test_values_are_compared_in_depth():
    class Thing:
        def __init__(self, value):
            self.value = value

    for one, other in (
        (torch.ones(2), torch.zeros(2)),
        (torch.ones(2), torch.ones(2).double()),
        (np.ones(2), np.zeros(2)),
        ([1, torch.ones(1)], [1, torch.zeros(1)]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        (Thing(1), Thing(2)),
        (1, 1.0),
        ((1,), (1, 2)),
        (NTM, Elman),
    ):
        assert same(one, one)
        assert not same(one, other)
    assert same(Thing([1]), Thing([1]))
