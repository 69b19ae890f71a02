"""Experiments: their initial weights, and the number of times that a command builds one."""

import zipfile
from pathlib import Path

import pytest
import torch

from memtape.cli.main import run
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.experiments.initial_weights import InitialWeights, initial_weights
from memtape.experiments.run_folder.folder import RunError
from memtape.training.settings import TrainSettings

FOLDERS = Path(__file__).parent / "data" / "folders_of_0.1.0.zip"
OPTIONS = {"slots": 5, "width": 3, "controller_size": 4}
WORDS = [
    *("--model.slots", "5", "--model.width", "3", "--model.controller-size", "4"),
    *("--task.bits", "2", "--task.max-length", "3"),
    *("--train.steps", "2", "--train.batch-size", "2", "--train.validate-every", "2", "--train.device", "cpu"),
    *("--train.validation-sequences", "2", "--train.restarts", "0"),
]


def experiment(**values):
    settings = {"model_options": OPTIONS, "task_options": {"bits": 2, "max_length": 3}, "train": TrainSettings()}
    return Experiment(model="ntm", task="copy", **{**settings, **values})


@pytest.fixture
def finished(tmp_path):
    """A run of the same network."""
    with zipfile.ZipFile(FOLDERS) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "run"


@pytest.fixture
def built(monkeypatch):
    """Count what is built from here on, by kind."""
    names = []

    def counted(kind):
        build = getattr(Experiment, kind)
        return lambda *arguments: names.append(kind) or build(*arguments)

    for kind in ("new_network", "build_network", "build_task"):
        monkeypatch.setattr(Experiment, kind, counted(kind))
    monkeypatch.setattr("memtape.experiments.train.tested", lambda *_, **__: [{"cost_bits": 1.0, "wrong_bits": 1.0}])
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
    monkeypatch.setattr("memtape.experiments.report.write_run_report", lambda run, *_: run.report_file)
    return names


def test_without_another_run_weights_are_drawn_from_the_seed():
    drawn, _ = experiment(seed=3).build(initial_weights(None))
    again = experiment(seed=3).new_network(drawn.cell.input_size, drawn.cell.output_size)
    for name, value in again.state_dict().items():
        assert torch.equal(value, drawn.state_dict()[name])


def test_with_another_run_weights_are_those_of_that_run(finished):
    continued = experiment(weights=str(finished))
    weights = initial_weights(continued.weights)
    model, _ = continued.build(weights)
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights.tensors[name])


def test_weights_must_be_passed_exactly_if_a_run_is_named(finished):
    continued = experiment(weights=str(finished))
    weights = initial_weights(continued.weights)
    with pytest.raises(ValueError, match="pass the weights of that run, or none if it is None"):
        continued.build()
    with pytest.raises(ValueError, match="weights is None; pass the weights of that run"):
        experiment().build(weights)


def test_weights_of_another_network_or_of_no_run_are_refused(finished, tmp_path):
    other = experiment(weights=str(finished), model_options={**OPTIONS, "width": 4})
    with pytest.raises(ExperimentError, match=r"the weights of .* belong to another network .*; give the model"):
        other.build(initial_weights(other.weights))
    again = experiment(weights=str(finished), train=TrainSettings(restarts=1, restart_after=250))
    with pytest.raises(ExperimentError, match="restarts is 1, but with the weights of"):
        again.build(initial_weights(again.weights))
    with pytest.raises(RunError, match="there is no run folder"):
        initial_weights(str(tmp_path / "none"))


@pytest.mark.parametrize(("known", "other"), [(None, -1), (5, -1), (None, 0)], ids=["as many", "fewer", "shifted"])
def test_weights_whose_symbols_have_other_meanings_are_refused(known, other):
    """Those of another data set, which a network of the same size, or one with more symbols, would read wrongly."""
    values = {"model": "memn2n", "task": "lookup", "model_options": {"embedding_size": 2}, "task_options": {}}
    drawn = Experiment(**values, train=TrainSettings())
    task = drawn.build_task()
    words = list(task.vocabulary[:known])
    words[other] = "other"
    weights = drawn.new_network(len(words), len(words)).state_dict()
    continued = Experiment(**values, train=TrainSettings(), weights="earlier")
    with pytest.raises(
        ExperimentError, match=f"the symbols of lookup have other meanings than the {len(words)} of earlier"
    ):
        continued.build(InitialWeights(tensors=weights, vocabulary=words))
    words = list(task.vocabulary[:known])
    network, _ = continued.build(InitialWeights(tensors=weights, vocabulary=words))
    assert network.input_size == len(task.vocabulary)


def test_weights_of_a_network_that_cannot_have_more_symbols_are_refused():
    options = {"embedding_size": 2, "entities": "all", "slots": 4}
    values = {
        "model": "entnet",
        "task": "lookup",
        "model_options": options,
        "task_options": {},
        "train": TrainSettings(),
    }
    weights = Experiment(**values).new_network(5, 5).state_dict()
    words = Experiment(**values).build_task().vocabulary[:5]
    with pytest.raises(ExperimentError, match=r"slots is 4, but entities names .*; leave slots out, or entities"):
        Experiment(**values, weights="earlier").build(InitialWeights(tensors=weights, vocabulary=words))


def test_each_command_builds_its_network_and_its_task_once(finished, built, tmp_path, capsys):
    for words, expected in (
        (["train", "ntm", "copy", *WORDS, "--out", str(tmp_path / "new")], ["build_task", "new_network"]),
        (
            ["train", "ntm", "copy", *WORDS, "--weights", str(finished), "--out", str(tmp_path / "continued")],
            ["build_task", "build_network"],
        ),
        (["evaluate", str(finished), "--lengths", "2", "--sequences", "2"], ["build_task", "build_network"]),
        (["report", str(finished)], ["build_task", "build_network"]),
        (["share", str(finished), str(tmp_path / "card")], ["build_task", "build_network"]),
    ):
        built.clear()
        assert run(words) == 0, capsys.readouterr().err
        assert built == expected, words[0]
    for name in ("manifest.json", "weights.safetensors", "result.json", "evaluation.json"):
        (finished / name).unlink()
    built.clear()
    assert run(["resume", str(finished)]) == 0
    assert built == ["build_task", "build_network"]


@pytest.mark.usefixtures("fake_training")
def test_a_sweep_builds_the_network_it_trains_in_other_processes_once(built, tmp_path):
    assert run(["sweep", "ntm", "copy", *WORDS, "--seeds", "0:2", "--out", str(tmp_path / "sweep")]) == 0
    assert built == ["build_task", "new_network"]
