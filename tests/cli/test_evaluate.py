"""`memtape evaluate`: its options are those of the task of the given run."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from memtape.cli.main import run

FINISHED = Path(__file__).parents[1] / "experiments" / "data" / "folders_of_0.1.0.zip"
"""A run of ntm on copy, trained with 2 bits and at most 3 vectors."""


@pytest.fixture
def finished(tmp_path):
    with zipfile.ZipFile(FINISHED) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "run"


def refused(capsys, *words):
    """Return the sentence with which a command line is refused."""
    assert run(list(map(str, words))) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_help_lists_the_options_of_the_task_with_the_values_of_the_run_and_without_loading_torch(finished):
    code = (
        "import sys; from memtape.cli.main import run\n"
        f"assert run(['evaluate', {str(finished)!r}, '--help']) == 0\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "--task.bits INT" in shown
    assert "[default: 2]" in shown
    assert "[default: 3]" in shown
    assert "--task.max-repeats INT" not in shown


def test_help_without_a_run_lists_the_options_of_all_tasks(capsys):
    assert run(["evaluate", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--task.bits" in shown
    assert "--task.max-repeats" in shown


@pytest.mark.parametrize("name", ["--task.min-length", "--task.min_length"])
def test_an_option_changes_the_task(finished, capsys, name):
    assert run(["evaluate", str(finished), name, "2", "--lengths", "2", "--sequences", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["length"] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--task.bit", "3"), "Unknown option: --task.bit. Did you mean --task.bits?"),
        (("--task.max-repeats", "3"), "Unknown option: --task.max-repeats."),
        (("--task.bits", "many"), 'Invalid value for --task.bits: unable to convert "many"'),
        (
            ("--task.bits", "4"),
            "with bits the task has inputs and outputs of sizes 5 and 4, but the network of",
        ),
        (("--task.bits", "4"), "was trained with 3 and 2; leave out the options that change them"),
        (("--task.bits", "0"), "bits is 0, but it must be at least 1"),
        (("--data-dir", "data"), "the data folder is data, but copy reads no data; leave it out"),
    ],
)
def test_an_invalid_option_is_refused_with_the_sentence_of_training(
    finished, capsys, shapes_unchecked, words, sentence
):
    assert sentence in refused(capsys, "evaluate", finished, *words)


@pytest.mark.parametrize("words", [(), ("--task.max-repeats", "3")])
def test_a_folder_without_a_run_is_named_with_any_options(tmp_path, capsys, words):
    assert f"there is no run folder {tmp_path}/none" in refused(capsys, "evaluate", tmp_path / "none", *words)


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"task": "coppy", "task_options": {}}', '{"task": [], "model": 3}']
)
def test_a_damaged_configuration_is_named(tmp_path, capsys, content):
    (tmp_path / "config.json").write_text(content)
    (tmp_path / "checkpoints").mkdir()
    assert f"{tmp_path}" in refused(capsys, "evaluate", tmp_path, "--task.bits", "3")


def test_values_of_a_damaged_configuration_are_not_shown(tmp_path, capsys):
    (tmp_path / "config.json").write_text('{"task": "copy", "task_options": {"bits": "[red]many", "strange": 3}}')
    assert run(["evaluate", str(tmp_path), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--task.bits" in shown
    assert "many" not in shown
    assert "strange" not in shown


TINY = ["--train.batch-size", "2", "--train.validation-sequences", "2", "--train.device", "cpu", "--train.steps", "9"]
TINY += ["--train.validate-every", "2", "--train.save-every", "3", "--model.hidden-size", "4", "--task.max-length", "3"]


def test_a_run_that_is_not_finished_is_scored_with_its_best_weights_so_far(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("memtape.experiments.train.save_weights", interrupted)
        assert run(["train", "lstm", "copy", *TINY, "--out", "early"]) == 130
    capsys.readouterr()
    assert run(["evaluate", "early", "--lengths", "2", "--sequences", "2", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["results"][0]["length"] == 2
    assert "the training run in early is not finished; its best weights so far, of step " in printed.err
    assert run(["runs", "list", ".", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["steps"] == 9


def test_a_run_without_a_checkpoint_has_nothing_to_score(tmp_path, capsys):
    (tmp_path / "config.json").write_text("{}")
    sentence = "is not finished, and it has no checkpoint yet; continue with `memtape resume"
    assert sentence in refused(capsys, "evaluate", tmp_path)
