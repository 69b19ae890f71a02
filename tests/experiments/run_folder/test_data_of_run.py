"""A run records its data; a file that changed afterwards is noticed, with the same vocabulary too."""

import json

import pytest

from memtape.cli.main import run
from memtape.experiments.open_run import open_run
from memtape.experiments.resume import resume_run
from memtape.experiments.run_folder.folder import Run, RunError
from memtape.experiments.run_folder.record import RunRecord

TEXT = "abcdefgh " * 60
TINY = [
    *("--train.steps", "2", "--train.batch-size", "2", "--train.validate-every", "1", "--train.device", "cpu"),
    *("--train.validation-sequences", "2", "--model.hidden-size", "4", "--task.window", "5", "--task.context", "0"),
]


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    """Return the folder of a run that was trained on a text, and that text."""
    monkeypatch.delenv("MEMTAPE_DATA_DIR", raising=False)
    text = tmp_path / "data" / "text.txt"
    text.parent.mkdir()
    text.write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    words = ["train", "gru", "char-lm", *TINY, "--task.data-dir", "data", "--task.file", "text.txt", "--out", "run"]
    assert run(words) == 0
    printed = capsys.readouterr()
    assert "data: a file of the user; text.txt (540 bytes, SHA-256 " in printed.err
    return tmp_path / "run", text


def unfinished(folder):
    (folder / "manifest.json").unlink()


def test_the_configuration_and_the_result_have_the_data_and_its_absolute_folder(trained, tmp_path):
    folder, _ = trained
    config = json.loads((folder / "config.json").read_text())
    assert config["task_options"]["data_dir"] == str(tmp_path / "data")
    (file,) = config["data"]["files"]
    assert (file["name"], file["size"]) == ("text.txt", 540)
    assert json.loads((folder / "result.json").read_text())["data"] == config["data"]
    assert RunRecord.read(folder).data.to_json() == config["data"]


def test_an_unchanged_file_is_not_mentioned(trained, capsys):
    folder, _ = trained
    open_run(folder)
    assert run(["evaluate", str(folder)]) == 0
    assert "differs" not in capsys.readouterr().err


def test_a_changed_file_of_the_same_vocabulary_is_mentioned_by_an_evaluation(trained, capsys):
    folder, text = trained
    text.write_text(TEXT[::-1])
    sentence = "the data differs from that of the training run"
    with pytest.warns(UserWarning, match=rf"{sentence} .*text.txt had 540 bytes, and has 540; its SHA-256 was"):
        open_run(folder)
    for command in ("evaluate", "report"):
        assert run([command, str(folder)]) == 0
        assert capsys.readouterr().err.startswith(sentence)


def test_other_data_is_mentioned_by_an_evaluation(trained, tmp_path, capsys):
    folder, _ = trained
    other = tmp_path / "other"
    other.mkdir()
    (other / "text.txt").write_text(TEXT + "a")
    assert run(["evaluate", str(folder), "--data-dir", "other"]) == 0
    assert "text.txt had 540 bytes, and has 541" in capsys.readouterr().err


def test_a_changed_file_of_the_same_vocabulary_stops_a_resumption(trained):
    folder, text = trained
    unfinished(folder)
    text.write_text(TEXT[::-1])
    silent = {"on_start": print, "on_record": print, "on_step": print, "warn": print}
    with pytest.raises(
        RunError, match=r"text.txt had 540 bytes, .*; restore that data to continue exactly, or train ag"
    ):
        resume_run(folder, **silent)
    text.write_text(TEXT)
    _, outcome = resume_run(folder, **silent)
    assert outcome.finished


def test_a_run_of_an_older_version_without_a_record_is_read(trained):
    folder, text = trained
    unfinished(folder)
    config = json.loads((folder / "config.json").read_text())
    del config["data"]
    (folder / "config.json").write_text(json.dumps(config))
    text.write_text(TEXT[::-1])
    open_run(folder, warn=lambda _: None)
    assert RunRecord.read(folder).data is None


def test_a_damaged_record_is_refused(trained):
    folder, _ = trained
    unfinished(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "data": 3}))
    with pytest.raises(RunError, match=r"config.json is not a valid file of a run \(its data is not that of a task"):
        RunRecord.read(folder)


def test_synthetic_data_is_named_in_the_terminal_and_in_a_badge_of_the_report(tmp_path, capsys):
    words = [
        "--train.steps",
        "1",
        "--model.hidden-size",
        "2",
        "--train.batch-size",
        "2",
        "--out",
        str(tmp_path / "run"),
    ]
    assert run(["train", "elman", "digits", *words, "--train.validation-sequences", "2"]) == 0
    assert "synthetic data: digits drawn with strokes; 2,200 train" in capsys.readouterr().err
    page = Run(tmp_path / "run").report_file.read_text()
    assert '<p class="badge">synthetic data: digits drawn with strokes</p>' in page
    assert "2,200" in page
    assert run(["evaluate", str(tmp_path / "run"), "--json", "--sequences", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["kind"] == "synthetic"


def test_a_task_without_data_has_no_record_and_no_badge(tmp_path, capsys):
    words = [
        "--train.steps",
        "1",
        "--model.hidden-size",
        "2",
        "--train.batch-size",
        "2",
        "--out",
        str(tmp_path / "run"),
    ]
    assert run(["train", "elman", "adding", *words, "--train.validation-sequences", "2"]) == 0
    assert "data" not in capsys.readouterr().err
    assert 'class="badge"' not in Run(tmp_path / "run").report_file.read_text()
    assert "data" not in json.loads((tmp_path / "run" / "config.json").read_text())
