"""Complete runs on the tasks of formal languages: training, the evaluation by length, and the report."""

import json

import pytest

from memtape.cli.main import run

TINY = ["--train.steps", "2", "--train.batch-size", "4", "--train.validate-every", "1", "--train.device", "cpu"]
TINY += ["--train.validation-sequences", "4", "--model.hidden-size", "8"]
RUNS = {
    "chomsky": ("elman", "--task.problem", "parity-check"),
    "dyck": ("elman", "--task.types", "1"),
    "tomita": ("elman", "--task.number", "3", "--task.third", "immediate"),
    "counting": ("elman", "--task.language", "anbmcnm", "--task.strings", "2"),
    "context-free": ("elman", "--task.language", "brackets"),
    "transduction": ("elman", "--task.transduction", "svo-sov"),
    "undo": ("elman", "--task.strings", "deep"),
    "word-problem": ("elman", "--task.group", "S3"),
}


@pytest.mark.parametrize("task", RUNS)
def test_a_run_is_trained_evaluated_and_reported(task, tmp_path, capsys):
    model, *options = RUNS[task]
    folder = tmp_path / "run"
    assert run(["train", model, task, *options, *TINY, "--out", str(folder)]) == 0
    results = json.loads((folder / "evaluation.json").read_text())
    assert len({result["length"] for result in results}) == len(results) > 1
    assert {path.stem for path in (folder / "figures").iterdir()} >= {"learning", "lengths"}
    capsys.readouterr()
    assert run(["evaluate", str(folder), "--lengths", str(results[0]["length"]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == results[:1]
