"""`memtape share`: writes a trained run as a folder or a repository from which the network is loaded."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch

import memtape
from memtape.cli.main import run
from memtape.core.manifest import verify
from memtape.experiments.open_run import open_run

TINY = [
    *("--task.bits", "2", "--task.max-length", "3", "--train.batch-size", "2", "--train.steps", "2"),
    *("--train.device", "cpu", "--train.validate-every", "2", "--train.validation-sequences", "2", "--seed", "3"),
]
NTM = ["--model.slots", "6", "--model.width", "4", "--model.controller-size", "8"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert run(["train", "ntm", "copy", *TINY, *NTM, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def shared(finished, tmp_path, capsys):
    capsys.readouterr()
    assert run(["share", str(finished), str(tmp_path / "ntm-copy")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'ntm-copy'}\n"
    return tmp_path / "ntm-copy"


def test_the_folder_holds_the_network_of_the_run(finished, shared):
    _, _, trained, task = open_run(finished)
    loaded = memtape.NTM.from_pretrained(shared)
    xs = torch.randn(2, 5, task.input_size)
    assert torch.equal(loaded(xs)[0], trained(xs)[0])
    assert {path.name for path in shared.iterdir()} == {
        *("model.safetensors", "config.json", "README.md", "figure.png", "manifest.json")
    }
    assert set(verify(shared)) == {"config.json", "model.safetensors"}
    assert (shared / "figure.png").read_bytes() == (finished / "figures" / "memory.png").read_bytes()


def test_the_card_describes_the_training_run(finished, shared):
    card = (shared / "README.md").read_text()
    results = json.loads((finished / "evaluation.json").read_text())
    for text in (
        *("# ntm on copy", "- ntm\n- copy\n", "| task | copy (", "bits 2", "| recipe | ntm/copy |", "| seed | 3 |"),
        *("| settings | steps 2, batch_size 2, optimizer rmsprop, ",),
        *("| outcome | not solved |", "| steps | 2 |", "arXiv:1410.5401", "![One test sequence of 50 vectors: "),
        *("| length (vectors) | sequences | cost bits | wrong bits |", "| slots | 6 |"),
        *(f"| {result['length']} | {result['sequences']} | {result['cost_bits']:.4g} |" for result in results),
    ):
        assert text in card
    assert huggingface_hub.ModelCard.load(shared / "README.md").data.tags[-2:] == ["ntm", "copy"]


def test_a_card_contains_no_local_path(finished, shared):
    text = "".join(path.read_text() for path in shared.glob("*.[jm][sd]*"))
    assert str(finished.parent) not in text
    assert str(shared.parent) not in text


def test_a_network_without_a_tape_is_shown_by_its_lengths(tmp_path):
    words = ["train", "lstm", "copy", *TINY, "--model.hidden-size", "8", "--out", str(tmp_path / "run")]
    assert run(words) == 0
    assert run(["share", str(tmp_path / "run"), str(tmp_path / "shared")]) == 0
    lengths = tmp_path / "run" / "figures" / "lengths.png"
    assert (tmp_path / "shared" / "figure.png").read_bytes() == lengths.read_bytes()
    assert "![Wrong bits per sequence by length, in vectors" in (tmp_path / "shared" / "README.md").read_text()
    memtape.StackedLSTM.from_pretrained(tmp_path / "shared")


def test_a_run_without_figures_has_a_card_without_figures(finished, tmp_path):
    copied = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(copied / "figures")
    assert run(["share", str(copied), str(tmp_path / "shared")]) == 0
    assert not (tmp_path / "shared" / "figure.png").exists()
    assert "figure.png" not in (tmp_path / "shared" / "README.md").read_text()


def test_push_uploads_the_same_files_in_one_commit(finished, shared, capsys, monkeypatch):
    calls = []

    class Api:
        def __init__(self, **_):
            pass

        def create_repo(self, repo_id, *, private, exist_ok):
            calls.append((repo_id, private, exist_ok))
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, *, folder_path, **_):
            calls.append({path.name: path.read_bytes() for path in Path(folder_path).iterdir()})
            return "https://hub/commit"

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    capsys.readouterr()
    assert run(["share", str(finished), "me/ntm-copy", "--push", "--private"]) == 0
    assert capsys.readouterr().out == "https://hub/commit\n"
    assert calls[0] == ("me/ntm-copy", True, True)
    assert calls[1].keys() == {path.name for path in shared.iterdir()}
    assert all(calls[1][name] == (shared / name).read_bytes() for name in calls[1] if name != "README.md")
    assert b'from_pretrained("me/ntm-copy")' in calls[1]["README.md"]
    assert run(["share", str(finished), "me/ntm-copy", "--push"]) == 0
    assert calls[2] == ("me/ntm-copy", None, True)


def refused(capsys, *words):
    capsys.readouterr()
    assert run(["share", *map(str, words)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_a_folder_in_use_is_not_changed(finished, tmp_path, capsys):
    (tmp_path / "mine").write_text("")
    assert "exists and is not an empty folder; give another name" in refused(capsys, finished, tmp_path)
    assert "exists and is not an empty folder" in refused(capsys, finished, tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_unreachable_hub_is_reported_in_one_sentence(finished, capsys, monkeypatch):
    def fail(*_, **__):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", fail)
    sentence = refused(capsys, finished, "me/ntm-copy", "--push")
    assert (
        "cannot be pushed to 'me/ntm-copy' (Name or service not known); check the name and the connection" in sentence
    )


def test_private_is_valid_with_push_only(finished, tmp_path, capsys):
    assert "--private is for the hub" in refused(capsys, finished, tmp_path / "new", "--private")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_a_run_is_named(tmp_path, capsys):
    assert "there is no run folder" in refused(capsys, tmp_path / "nowhere", tmp_path / "new")


def test_an_unfinished_run_is_named(finished, tmp_path, capsys):
    copied = shutil.copytree(finished, tmp_path / "run")
    (copied / "manifest.json").unlink()
    assert "is not finished (it has no manifest.json); continue with" in refused(capsys, copied, tmp_path / "new")
    assert not (tmp_path / "new").exists()
