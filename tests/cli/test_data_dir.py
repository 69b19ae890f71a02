"""`--data-dir` and MEMTAPE_DATA_DIR: the folder of the data, and the message for missing data."""

import gzip
import json

import pytest

from memtape.cli.main import run

READING = ["digits", "char-lm", "word-lm", "sentiment", "scan", "chorales"]
TINY = ["--train.steps", "1", "--train.batch-size", "2", "--train.device", "cpu", "--model.hidden-size", "4"]


@pytest.fixture(autouse=True)
def no_usual_folder(monkeypatch):
    monkeypatch.delenv("MEMTAPE_DATA_DIR", raising=False)


def refused(capsys, out, *words):
    """Return the sentence of a refusal, and check that nothing was written."""
    capsys.readouterr()
    assert run([*words, *TINY, "--out", str(out)]) == 2
    message = capsys.readouterr()
    assert message.err.count("\n") == 1
    assert not out.exists()
    assert not list(out.parent.glob(f".{out.name}*"))
    return message.err


@pytest.mark.parametrize("task", READING)
@pytest.mark.parametrize("command", ["train", "sweep"])
def test_a_missing_file_is_named_with_its_source(tmp_path, capsys, command, task):
    message = refused(capsys, tmp_path / "run", command, "lstm", task, "--data-dir", str(tmp_path))
    assert f"there is no {tmp_path}/" in message
    assert "get it from " in message


def test_the_environment_variable_names_the_folder_too(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MEMTAPE_DATA_DIR", str(tmp_path / "usual"))
    assert f"there is no {tmp_path}/usual/mnist" in refused(capsys, tmp_path / "run", "train", "lstm", "digits")
    message = refused(capsys, tmp_path / "run", "train", "lstm", "digits", "--data-dir", str(tmp_path / "own"))
    assert f"there is no {tmp_path}/own/mnist" in message


@pytest.mark.parametrize("command", ["train", "sweep"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            gzip.compress(bytes(1000), mtime=0)[:20],
            "cannot be read (Compressed file ended before the end-of-stream marker",
        ),
        (b"hello", "cannot be read (Not a gzipped file"),
        (b"", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (gzip.compress(b"hello", mtime=0), "get it again from the repository fgnt/mnist"),
    ],
    ids=["cut", "no gzip", "empty", "nothing in it", "other"],
)
def test_a_file_of_another_format_is_named(tmp_path, capsys, command, content, sentence):
    (tmp_path / "mnist").mkdir()
    file = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    file.write_bytes(content)
    message = refused(capsys, tmp_path / "run", command, "lstm", "digits", "--data-dir", str(tmp_path))
    assert str(file) in message
    assert sentence in message


def test_missing_data_is_reported_when_a_run_is_resumed_evaluated_or_drawn(tmp_path, capsys, monkeypatch):
    text = tmp_path / "data" / "own.txt"
    text.parent.mkdir()
    text.write_text("to be, or not to be: that is the question\n" * 20)
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
    folder = tmp_path / "run"
    words = ["lstm", "char-lm", "--task.file", "own.txt", "--task.window", "8", "--data-dir", str(text.parent)]
    assert run(["train", *words, *TINY, "--out", str(folder)]) == 0
    assert json.loads((folder / "config.json").read_text())["task_options"]["data_dir"] == str(text.parent)
    assert run(["share", str(folder), str(tmp_path / "card")]) == 0
    card = (tmp_path / "card" / "README.md").read_text()
    assert "| task | char-lm (data a file of the user, file own.txt, window 8, " in card
    assert str(tmp_path) not in card
    text.unlink()
    for words in (["evaluate"], ["report"], ["share"], ["resume"]):
        capsys.readouterr()
        assert run([*words, str(folder), *([str(tmp_path / "shared")] if words == ["share"] else [])]) == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        assert f"there is no {text}" in message
    assert not (tmp_path / "shared").exists()
