"""Folders that version 0.1.0 wrote, before its modules moved, open, evaluate and resume.

data/folders_of_0.1.0.zip holds a finished run of 4 steps with its checkpoint of step 2, and the same network shared:

    memtape train ntm copy --task.bits 2 --task.max-length 3 --model.slots 5 --model.width 3 --model.controller-size 4
        --train.batch-size 2 --train.steps 4 --train.device cpu --train.validate-every 2 --train.validation-sequences 2
    memtape share run shared
"""

import json
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from memtape import NTM
from memtape.cli.main import run
from memtape.experiments.open_run import open_run

OLDER = Path(__file__).parent / "data" / "folders_of_0.1.0.zip"
ROUNDING = 1e-4
"""Tolerance: scores and weights of a few steps may differ by rounding from those of another processor."""


@pytest.fixture
def folder(tmp_path):
    with zipfile.ZipFile(OLDER) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_a_run_opens_and_evaluates_to_the_same_scores(folder, capsys):
    recorded = json.loads((folder / "run" / "evaluation.json").read_text())[0]
    length, sequences = str(recorded["length"]), str(recorded["sequences"])
    assert run(["evaluate", str(folder / "run"), "--lengths", length, "--sequences", sequences, "--json"]) == 0
    (scored,) = json.loads(capsys.readouterr().out)["results"]
    assert scored == pytest.approx(recorded, abs=ROUNDING)


def test_a_run_is_listed_and_shown(folder, capsys):
    assert run(["runs", "list", str(folder), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert [(row["model"], row["task"], row["state"]) for row in listed] == [("ntm", "copy", "finished")]
    assert run(["runs", "show", str(folder / "run")]) == 0


def test_a_run_that_was_killed_resumes_to_the_same_weights(folder, capsys, monkeypatch):
    monkeypatch.setattr("memtape.experiments.train.tested", lambda *_, **__: [{"cost_bits": 1.0, "wrong_bits": 1.0}])
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
    trained = load_file(folder / "run" / "weights.safetensors")
    for name in ("manifest.json", "weights.safetensors", "result.json", "evaluation.json"):
        (folder / "run" / name).unlink()
    assert run(["resume", str(folder / "run")]) == 0
    assert "solved; 4 steps" in capsys.readouterr().out
    resumed = load_file(folder / "run" / "weights.safetensors")
    assert resumed.keys() == trained.keys()
    for name, value in trained.items():
        torch.testing.assert_close(resumed[name], value, atol=ROUNDING, rtol=0)


def test_a_shared_network_loads_as_the_network_of_the_run(folder):
    _, _, trained, task = open_run(folder / "run")
    shared = NTM.from_pretrained(folder / "shared")
    inputs = task.batch(0, 2, split="test").inputs
    torch.testing.assert_close(shared(inputs)[0], trained(inputs)[0])


def test_folders_name_no_module(folder):
    for file in folder.rglob("*.json"):
        assert "memtape." not in file.read_text(), file
