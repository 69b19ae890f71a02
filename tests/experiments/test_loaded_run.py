"""`memtape.load` returns a run with its network, task and results, and reports what differs."""

import re

import pytest
import torch

import memtape
from memtape import GRU, Characters, Copy, Elman
from memtape.core.errors import ReportedError
from memtape.experiments.resume import resume_run
from memtape.experiments.run_folder.folder import RunError

TINY = {"steps": 2, "validate_every": 1, "batch_size": 2, "validation_sequences": 2, "device": "cpu", "progress": False}


@pytest.fixture(autouse=True)
def short_report(monkeypatch):
    """Leave out the figures at the end of a run."""
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
    monkeypatch.delenv("MEMTAPE_DATA_DIR", raising=False)


@pytest.fixture
def folder(tmp_path):
    task = Copy(bits=2, max_length=3)
    network = Elman(task.input_size, task.output_size, hidden_size=4)
    memtape.fit(network, task, run_folder=tmp_path / "run", seed=5, **TINY)
    return tmp_path / "run"


def test_a_run_has_its_parts(folder):
    run = memtape.load(str(folder))
    assert (run.folder, run.seed, run.settings.steps, run.data) == (folder, 5, 2, None)
    assert isinstance(run.model, Elman)
    assert not run.model.training
    assert run.task.configuration["max_length"] == 3
    assert run.outcome.steps == 2
    assert [record["length"] for record in run.evaluation][:2] == [10, 20]
    assert memtape.evaluate(run.model, run.task, [10, 20], seed=5) == run.evaluation[:2]
    assert len(run.figure().axes) == 2
    assert repr(run) == f"LoadedRun(Elman on Copy in {folder}, finished)"


def test_a_run_that_is_not_finished_is_loaded_with_a_warning(folder):
    (folder / "manifest.json").unlink()
    (folder / "result.json").unlink()
    with pytest.warns(UserWarning, match=r"is not finished; its best weights so far, of step \d, are used"):
        run = memtape.load(folder)
    assert run.outcome is None
    assert repr(run).endswith("not finished)")


def test_a_run_without_a_checkpoint_cannot_be_resumed_from_weights_that_were_never_saved(folder):
    for name in ("manifest.json", "result.json"):
        (folder / name).unlink()
    for checkpoint in (folder / "checkpoints").iterdir():
        checkpoint.rename(folder / checkpoint.name)
    silent = {"on_start": print, "on_record": print, "on_step": print, "warn": print}
    with pytest.raises(
        RunError, match="stopped before its first checkpoint, which has its initial weights; remove the"
    ):
        resume_run(folder, **silent)


def test_a_fitted_run_is_resumed_to_the_same_bits(folder):
    whole = memtape.load(folder)
    for name in ("manifest.json", "result.json", "weights.safetensors"):
        (folder / name).unlink()
    last = max((folder / "checkpoints").iterdir())
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    resume_run(folder, on_start=print, on_record=print, on_step=print, warn=print)
    resumed = memtape.load(folder)
    assert all((value == resumed.model.state_dict()[name]).all() for name, value in whole.model.state_dict().items())
    assert resumed.records == whole.records


def test_other_data_is_mentioned(tmp_path):
    for name, text in (("one", "abc " * 50), ("two", "cba " * 50)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text.txt").write_text(text)
    task = Characters(data_dir=str(tmp_path / "one"), file="text.txt", window=4, context=0)
    network = GRU(task.input_size, task.output_size, hidden_size=3)
    memtape.fit(network, task, run_folder=tmp_path / "run", **TINY)
    assert memtape.load(tmp_path / "run").data.files[0].name == "text.txt"
    with pytest.warns(UserWarning, match=r"the data differs from that of the training run .*: text.txt had 200 bytes"):
        memtape.load(tmp_path / "run", data_dir=tmp_path / "two")


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"),
    [
        (("",), ValueError, "run_folder is '', but it must name a folder"),
        ((None,), TypeError, "run_folder is None, but it must be a path"),
        (("nowhere",), RunError, "there is no run folder nowhere; give a folder"),
        (("RUN", 3), TypeError, "data_dir is 3, but it must be a path"),
        (("RUN", "data"), ReportedError, "data, but copy reads no data; leave it out"),
    ],
)
def test_an_impossible_argument_is_one_sentence(folder, arguments, kind, sentence):
    run, *data = (str(folder) if given == "RUN" else given for given in arguments)
    with pytest.raises(kind, match=re.escape(sentence)) as found:
        memtape.load(run, **({"data_dir": data[0]} if data else {}))
    assert "--" not in str(found.value)


def test_a_network_without_parameters_is_evaluated():
    class Zeros(torch.nn.Module):
        def forward(self, xs, lengths=None):
            return torch.zeros(*xs.shape[:2], 2), None

    (record,) = memtape.evaluate(Zeros(), Copy(bits=2), sequences=3)
    assert record["sequences"] == 3
    assert "length" not in record


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"lengths": 20}, TypeError, "lengths is 20, but it must be a list of lengths"),
        ({"lengths": "20"}, TypeError, "lengths is '20', but it must be a list of lengths"),
        ({"lengths": [2.5]}, TypeError, "a length is 2.5, but it must be an integer"),
        ({"lengths": []}, ReportedError, "lengths is empty, so there is nothing to score"),
        ({"lengths": [0]}, ReportedError, "lengths are 0..0, but Copy needs 1 <= shortest <= longest"),
        ({"sequences": 0}, ReportedError, "sequences is 0, but it must be at least 1"),
        ({"sequences": 1.5}, TypeError, "sequences is 1.5, but it must be an integer"),
        ({"seed": None}, TypeError, "seed is None, but it must be an integer"),
    ],
)
def test_an_impossible_evaluation_is_one_sentence(options, kind, sentence):
    task = Copy(bits=2)
    with pytest.raises(kind, match=re.escape(sentence)):
        memtape.evaluate(Elman(task.input_size, task.output_size, hidden_size=3), task, **options)
