"""A complete sweep with real training runs: one that diverges, the best configuration trained again, and a kill of all
processes.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from memtape.cli.main import run

TINY = [
    *("--task.bits", "2", "--task.max-length", "3", "--train.batch-size", "2", "--train.steps", "4"),
    *("--train.device", "cpu", "--train.validate-every", "2", "--train.validation-sequences", "2"),
    *("--model.hidden-size", "4", "--model.layers", "1"),
]


def test_a_diverging_configuration_is_a_row_and_the_best_one_can_be_trained_again(tmp_path, capsys):
    space, folder = tmp_path / "space.toml", tmp_path / "sweep"
    space.write_text("trials = 3\n[train]\nlearning_rate = [0.01, 1e38]\n")
    words = ["lstm", "copy", *TINY, "--train.clip", "none", "--train.optimizer", "rmsprop"]
    assert run(["sweep", *words, "--seeds", "3", "--space", str(space), "--out", str(folder)]) == 0
    fine, diverged = json.loads((folder / "report.json").read_text())["configurations"]
    assert diverged["rows"][0]["failure"]["exit"] == "exit code 1"
    assert "is not finite; lower the learning rate" in diverged["rows"][0]["failure"]["last_line"]
    assert diverged["value"] is None

    again = tmp_path / "again"
    best = ["--config", str(folder / "best.toml"), "--seed", "3", "--out", str(again)]
    assert run(["train", "lstm", "copy", *best]) == 0
    first = folder / "configurations" / f"{fine['number']:04d}" / "seed3"
    config = json.loads((again / "config.json").read_text())
    assert config == json.loads((first / "config.json").read_text())
    assert config["train"]["learning_rate"] == 0.01
    assert (again / "weights.safetensors").read_bytes() == (first / "weights.safetensors").read_bytes()

    capsys.readouterr()
    assert run(["runs", "list", str(folder), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in listed["runs"]].count("finished") == 1
    assert listed["damaged"] == {}


@pytest.mark.slow
def test_a_sweep_killed_with_all_its_training_runs_ends_with_the_same_report(tmp_path):
    """The training runs are killed too, as in a power failure: they are unfinished, and not left running."""
    words = ["sweep", "lstm", "copy", *TINY, "--seeds", "0:3", "--jobs", "1", "--out"]
    reports = {}
    for name in ("killed", "whole"):
        folder = tmp_path / name
        command = [sys.executable, "-m", "memtape", *words, str(folder)]
        if name == "killed":
            sweep = subprocess.Popen(command)
            until = time.monotonic() + 120
            while not (folder / "configurations" / "0000" / "seed1" / "config.json").exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            os.kill(sweep.pid, signal.SIGSTOP)
            for training in _children(sweep.pid):
                os.kill(training, signal.SIGKILL)
            sweep.kill()
            sweep.wait()
        subprocess.run(command, check=True, capture_output=True)
        reports[name] = json.loads((folder / "report.json").read_text())
        for row in reports[name]["configurations"][0]["rows"]:
            del row["seconds"]
        del reports[name]["configurations"][0]["seconds"]
    assert reports["killed"] == reports["whole"]


def _children(process):
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=True)
    return [int(line) for line in listed.stdout.split()]
