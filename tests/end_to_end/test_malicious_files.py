"""Malicious files: the command that reads each of them refuses it with one sentence, and no code in it is run."""

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import memtape
from memtape.cli.main import run
from memtape.core.manifest import DamagedError
from memtape.sharing.shared_folder import SharingError

ROOT = Path(__file__).parents[2]
TINY = [
    *("--model.slots", "6", "--model.width", "4", "--model.controller-size", "8", "--task.bits", "2"),
    *("--task.max-length", "3", "--train.batch-size", "2", "--train.validation-sequences", "2"),
    *(
        "--train.validate-every",
        "2",
        "--train.tbptt",
        "2",
        "--train.carry",
        "--train.keep",
        "1",
        "--train.device",
        "cpu",
    ),
]


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / "robustness" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


TRACE = Path(tempfile.gettempdir()) / f"memtape-executed-{os.getpid()}"
CATALOGUE = [malicious for malicious in loaded("malicious_files").catalogue(TRACE) if malicious.reader != "sweep"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a folder with one valid folder for every kind of reader."""
    place = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:
        scores = {"length": 2, "sequences": 2, "cost_bits": 1.0, "wrong_bits": 1.0}
        patch.setattr("memtape.experiments.train.tested", lambda *_, **__: [scores])
        patch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
        train = ["train", "ntm", "copy", *TINY, "--train.steps", "4", "--out", str(place / "run")]
        assert run(train) == 0
        assert run(["share", str(place / "run"), str(place / "network")]) == 0
    shutil.copytree(place / "run", place / "unfinished")
    for name in ("manifest.json", "weights.safetensors", "result.json", "evaluation.json"):
        (place / "unfinished" / name).unlink()
    for older in sorted((place / "unfinished" / "checkpoints").iterdir())[:-1]:
        shutil.rmtree(older)
    return place


def from_pretrained(folder):
    try:
        memtape.NTM.from_pretrained(folder)
    except (SharingError, DamagedError) as error:
        print(f"memtape: {error}", file=sys.stderr)
        return 2
    return 0


READERS = {
    "run": ("run", lambda folder: run(["evaluate", str(folder), "--lengths", "2", "--sequences", "2"])),
    "report": ("run", lambda folder: run(["report", str(folder)])),
    "checkpoint": ("unfinished", lambda folder: run(["resume", str(folder)])),
    "network": ("network", from_pretrained),
    "config": (
        "config",
        lambda file: run(["train", "ntm", "copy", *TINY[6:], "--config", str(file), "--out", f"{file}-run"]),
    ),
}


@pytest.mark.parametrize("malicious", CATALOGUE, ids=lambda malicious: f"{malicious.reader}: {malicious.name}")
def test_a_malicious_file_is_refused_with_one_sentence(sound, tmp_path, shapes_unchecked, capsys, malicious):
    name, read = READERS[malicious.reader]
    target = tmp_path / name
    if name != "config":
        shutil.copytree(sound / name, target)
    malicious.change(target)
    assert read(target) in (1, 2)
    assert capsys.readouterr().err.splitlines()[-1].startswith("memtape: ")
    assert not TRACE.exists()
