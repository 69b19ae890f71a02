"""`memtape.fit`: one call trains, rejects what does not fit before the first step, and leaves everything else as it was."""

import json
import os
import random
import re
import signal

import numpy as np
import pytest
import torch
from torch import nn

import memtape
from memtape import GRU, NTM, Adding, BiLSTM, Characters, Copy, Elman, StackedLSTM, TrainSettings
from memtape.core.errors import ReportedError
from memtape.experiments.run_folder.folder import Run, RunError
from memtape.training.optim.non_finite import NonFiniteError
from memtape.training.settings import SettingsError

TINY = {"steps": 4, "validate_every": 2, "batch_size": 4, "validation_sequences": 4, "device": "cpu", "progress": False}


@pytest.fixture
def task():
    return Copy(bits=2, max_length=3)


@pytest.fixture
def network(task):
    return NTM(task.input_size, task.output_size, slots=6, width=4, controller_size=8)


@pytest.fixture
def short_report(monkeypatch):
    """Leave out the figures at the end of a run."""
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)


class Own(nn.Module):
    """A network of a user, without a state."""

    def __init__(self, input_size, output_size):
        super().__init__()
        self.linear = nn.Linear(input_size, output_size)

    def forward(self, xs, lengths=None):
        return self.linear(xs), None


def test_a_network_is_trained_in_place(network, task):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fit = memtape.fit(network, task, **TINY)
    assert fit.model is network
    assert fit.outcome.finished
    assert fit.outcome.steps == 4
    assert any((value != before[name]).any() for name, value in network.state_dict().items())
    assert [record["kind"] for record in fit.records] == ["train", "validation"] * 2
    assert fit.scores in [{name: r[name] for name in ("cost_bits", "wrong_bits")} for r in fit.records[1::2]]
    assert repr(fit).startswith("Fit(NTM on Copy: not solved, 4 steps; cost_bits ")
    assert len(fit.figure(title="curve").axes) == 2


def test_a_record_of_settings_and_single_settings_are_the_same(network, task):
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    settings = {name: value for name, value in TINY.items() if name != "progress"}
    ends = []
    for given, options in ((None, settings), (TrainSettings(**settings), {}), (TrainSettings(), settings)):
        network.load_state_dict(weights)
        fit = memtape.fit(network, task, given, progress=False, **options)
        ends.append((fit.settings, fit.scores))
    assert ends[0] == ends[1] == ends[2]


def test_a_run_folder_is_that_of_a_run(network, task, tmp_path):
    folder = tmp_path / "run"
    fit = memtape.fit(network, task, run_folder=str(folder), seed=3, **TINY)
    assert fit.run_folder == folder
    assert (folder / "report.html").exists()
    config = json.loads((folder / "config.json").read_text())
    assert (config["model"], config["task"], config["seed"], config["fitted"]) == ("ntm", "copy", 3, True)
    assert config["task_options"]["max_length"] == 3
    assert config["model_options"]["slots"] == 6
    loaded = memtape.load(folder)
    assert all((value == network.state_dict()[name]).all() for name, value in loaded.model.state_dict().items())
    assert loaded.records == fit.records
    assert loaded.outcome.scores == fit.scores
    with pytest.raises(RunError, match="run exists and is not an empty folder; give another name or remove it"):
        memtape.fit(network, task, run_folder=folder, **TINY)


@pytest.mark.usefixtures("short_report")
def test_the_folder_makes_no_difference_to_the_training(network, task, tmp_path):
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    one = memtape.fit(network, task, **TINY)
    network.load_state_dict(weights)
    assert memtape.fit(network, task, run_folder=tmp_path / "run", **TINY).records == one.records


def test_restarts_draw_the_same_weights_with_and_without_a_folder(network, task, tmp_path, short_report):
    stuck = {**TINY, "restarts": 1, "restart_after": 2, "restart_score": 0.0}
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    one = memtape.fit(network, task, **stuck)
    network.load_state_dict(weights)
    two = memtape.fit(network, task, run_folder=tmp_path / "run", **stuck)
    assert one.outcome.restarts == two.outcome.restarts == 1
    assert one.records == two.records


def test_a_network_of_the_user_is_trained(task):
    fit = memtape.fit(Own(task.input_size, task.output_size), task, **TINY)
    assert fit.outcome.steps == 4


@pytest.mark.usefixtures("short_report")
def test_a_float64_network_is_trained_saved_and_evaluated_in_float64(task, tmp_path):
    network = Elman(task.input_size, task.output_size, hidden_size=4).double()
    memtape.fit(network, task, run_folder=tmp_path / "run", **TINY)
    loaded = memtape.load(tmp_path / "run")
    assert loaded.model.cell.state_dict().keys() == network.cell.state_dict().keys()
    assert next(loaded.model.parameters()).dtype == torch.float64
    assert memtape.evaluate(loaded.model, loaded.task, [3], sequences=2)[0]["length"] == 3


@pytest.mark.parametrize("ends", ["well", "not finite"])
def test_modes_and_random_generators_are_as_before(task, ends):
    network = StackedLSTM(task.input_size, task.output_size, hidden_size=4, layers=2, dropout=0.5)
    network.eval()
    network.cell.train()
    if ends == "not finite":
        next(network.parameters()).data.fill_(torch.nan)
    modes = [module.training for module in network.modules()]
    states = [torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()]
    if ends == "not finite":
        with pytest.raises(NonFiniteError):
            memtape.fit(network, task, **TINY)
    else:
        memtape.fit(network, task, **TINY)
    assert [module.training for module in network.modules()] == modes
    assert [torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()] == states


def test_a_network_in_evaluation_mode_is_trained_with_dropout(task):
    network = StackedLSTM(task.input_size, task.output_size, hidden_size=4, layers=2, dropout=0.5).eval()
    modes = []
    network.register_forward_hook(lambda module, *_: modes.append(module.training))
    memtape.fit(network, task, **{**TINY, "steps": 1, "validate_every": 1})
    assert modes == [False, True, False]  # the trial, the step, the validation
    assert not network.training


def test_a_bf16_network_is_unwrapped_after_an_error(task):
    network = Elman(task.input_size, task.output_size, hidden_size=4)
    forward = network.forward
    next(network.parameters()).data.fill_(torch.nan)
    with pytest.raises(NonFiniteError):
        memtape.fit(network, task, precision="bf16", **TINY)
    assert network.forward == forward


def test_nothing_is_printed_without_progress_and_a_line_for_each_validation_with_it(network, task, capsys):
    memtape.fit(network, task, **TINY)
    assert capsys.readouterr() == ("", "")
    memtape.fit(network, task, **{**TINY, "progress": True})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["step", "2"], ["step", "4"]]


def test_synthetic_data_is_named(capsys):
    task = Characters(window=5, context=0)
    network = GRU(task.input_size, task.output_size, hidden_size=4)
    memtape.fit(network, task, **{**TINY, "progress": True})
    assert capsys.readouterr().out.startswith("synthetic data: a play of a small grammar; ")


def test_a_figure_before_the_first_validation_is_refused(network, task):
    def stop(record):
        raise KeyboardInterrupt

    fit = memtape.fit(network, task, **TINY)
    fit.records.clear()
    with pytest.raises(ValueError, match="nothing to draw, as training ended before its first validation"):
        fit.figure()
    with pytest.raises(KeyboardInterrupt):
        memtape.fit(network, task, on_record=stop, **TINY)


def refused(kind, sentence, *arguments, **options):
    with pytest.raises(kind, match=re.escape(sentence)) as found:
        memtape.fit(*arguments, **{**TINY, **options})
    assert "\n" not in str(found.value)
    assert not re.search(r"--\w", str(found.value))


@pytest.mark.parametrize(
    ("kind", "sentence", "options"),
    [
        (
            TypeError,
            "settings is 1000, but it must be a memtape.TrainSettings; give one, or single",
            {"settings": 1000},
        ),
        (TypeError, "settings is a dict, but it must be a memtape.TrainSettings", {"settings": {"steps": 3}}),
        (TypeError, "memtape.fit has no argument 'step'; did you mean \"steps\"?", {"step": 3}),
        (ReportedError, "a training setting cannot be used: steps is 0, Input should be greater", {"steps": 0}),
        (ReportedError, "a training setting cannot be used: steps is 'many'", {"steps": "many"}),
        (TypeError, "seed is 0.5, but it must be an integer", {"seed": 0.5}),
        (TypeError, "seed is True, but it must be an integer", {"seed": True}),
        (ReportedError, "seed is 9223372036854775808, beyond", {"seed": 2**63}),
        (TypeError, "run_folder is 5, but it must be a path", {"run_folder": 5}),
        (TypeError, "run_folder is b'run', but it must be a path", {"run_folder": b"run"}),
        (ValueError, "run_folder is '', but it must name a folder", {"run_folder": ""}),
        (ValueError, "run_folder is 'a\\x00b', but it must name a folder", {"run_folder": "a\0b"}),
        (TypeError, "on_record is 3, but it is called with each record", {"on_record": 3}),
        (SettingsError, 'non_finite is "rollback", but without a run folder', {"non_finite": "rollback"}),
        (SettingsError, 'tracker is "tensorboard", but it writes into the run folder', {"tracker": "tensorboard"}),
    ],
)
def test_an_impossible_argument_is_one_sentence(network, task, kind, sentence, options):
    refused(kind, sentence, network, task, **options)


class Pair(nn.Module):
    """A network that returns the value of a given function."""

    def __init__(self, returned):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.returned = returned

    def forward(self, xs, lengths=None):
        return self.returned(xs, self.weight)


@pytest.mark.parametrize(
    ("sentence", "build"),
    [
        ("model is the class NTM, but it must be a network", lambda task: (NTM, task)),
        ("task is the class Copy, but it must be a task", lambda task: (NTM(4, 2), Copy)),
        (
            "NTM cannot be called as model(inputs, lengths=lengths) on a batch of Copy (Value",
            lambda task: (NTM(9, 2), task),
        ),
        ("NTM has outputs of shape (2, ", lambda task: (NTM(task.input_size, 5), task)),
        ("Pair returned a Tensor, but a network returns a pair", lambda task: (Pair(lambda xs, w: xs + w), task)),
        ("Pair returned None, but a network returns a pair", lambda task: (Pair(lambda xs, w: None), task)),
        ("Linear cannot be called as model(inputs, lengths=lengths)", lambda task: (nn.Linear(4, 2), task)),
        ("NTM has no parameter that requires a gradient", lambda task: (NTM(4, 2).requires_grad_(False), task)),
        ("Identity has no parameter that requires a gradient", lambda task: (nn.Identity(), task)),
        (
            "BiLSTM reads in both directions, but Characters predicts the next input",
            lambda _: (BiLSTM(4, 4), Characters()),
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence_before_training(task, sentence, build, shapes_unchecked):
    refused((TypeError, ReportedError), sentence, *build(task))


@pytest.mark.parametrize("options", [{"carry": True}, {"tbptt": 2}])
def test_a_state_cannot_be_carried_by_a_network_without_one(task, options):
    ((name, value),) = options.items()
    sentence = f"{name} is {value}, but Own returns no state that could be passed on; leave it out"
    refused(SettingsError, sentence, Own(task.input_size, task.output_size), task, **options)


def test_a_task_that_cannot_score_is_named_before_training(network, task, monkeypatch):
    def broken(self, tally):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Copy, "scores_of", broken)
    refused(ReportedError, "Copy cannot score the outputs of NTM, of shape (2, ", network, task)
    monkeypatch.setattr(Copy, "scores_of", lambda self, tally: {"cost_bits": 1.0})
    refused(ReportedError, "scores_of of Copy returns no 'wrong_bits', which it lists in scored", network, task)


def test_restarts_need_a_network_that_can_be_built_again(task):
    own = Own(task.input_size, task.output_size)
    refused(
        ReportedError,
        "Own has no `configuration` from which",
        own,
        task,
        restarts=1,
        restart_after=2,
        restart_score=0.0,
    )


def test_a_path_is_expanded(network, task, tmp_path, monkeypatch, short_report):
    monkeypatch.setenv("HOME", str(tmp_path))
    fit = memtape.fit(network, task, run_folder="~/run", **TINY)
    assert fit.run_folder == tmp_path / "run"
    assert Run.open(tmp_path / "run").finished


def test_an_interruption_ends_early_with_a_result(network, task):
    def interrupt(record):
        if record["kind"] == "validation":
            os.kill(os.getpid(), signal.SIGINT)

    fit = memtape.fit(network, task, on_record=interrupt, **{**TINY, "steps": 100})
    assert not fit.outcome.finished
    assert fit.outcome.steps < 100
    assert "ended early" in repr(fit)


def test_a_number_task_is_fitted():
    task = Adding(min_length=4, max_length=4)
    assert memtape.fit(Elman(2, 1, hidden_size=4), task, **TINY).outcome.steps == 4
