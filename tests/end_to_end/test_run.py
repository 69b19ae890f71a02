"""A complete run at the command line: train, evaluate, report; and damaged runs."""

import json
import shutil
import tomllib

import pytest
import torch
from safetensors.torch import load_file

from memtape.cli.main import run

TINY = [
    *("--task.bits", "2", "--task.max-length", "3", "--train.batch-size", "2", "--train.steps", "4"),
    *("--train.device", "cpu", "--train.validate-every", "2", "--train.validation-sequences", "2"),
]
NTM = ["--model.slots", "6", "--model.width", "4", "--model.controller-size", "8"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert run(["train", "ntm", "copy", *TINY, *NTM, "--seed", "3", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copied")


@pytest.fixture
def without_report(monkeypatch):
    """Leave out the evaluation and the figures at the end of a run."""
    scores = {"length": 1, "sequences": 1, "cost_bits": 1.0, "wrong_bits": 1.0}
    monkeypatch.setattr("memtape.experiments.train.tested", lambda *_, **__: [scores])
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)


def test_a_run_writes_all_documented_files(finished):
    assert {path.name for path in finished.iterdir()} == {
        *("config.json", "environment.json", "metrics.jsonl", "weights.safetensors", "result.json", "evaluation.json"),
        *("checkpoints", "manifest.json", "figures", "report.html", "run.lock"),
    }
    assert {path.name for path in (finished / "figures").iterdir()} == {
        f"{name}.{kind}" for name in ("learning", "lengths", "memory") for kind in ("png", "svg")
    }
    assert len((finished / "metrics.jsonl").read_text().splitlines()) == 4


def test_the_configuration_is_resolved(finished):
    config = json.loads((finished / "config.json").read_text())
    assert config["seed"] == 3
    assert config["recipe"] == "ntm/copy"
    assert config["model_options"]["slots"] == 6
    assert config["model_options"]["controller"] == "lstm"
    assert config["train"]["optimizer"] == "rmsprop"


def test_evaluate_prints_one_json_object(finished, capsys):
    assert run(["evaluate", str(finished), "--lengths", "2", "5", "--sequences", "7", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["model"] == "ntm"
    assert printed["task"] == "copy"
    assert printed["run"] == str(finished)
    assert [set(result) for result in printed["results"]] == [{"length", "sequences", "cost_bits", "wrong_bits"}] * 2
    assert [(result["length"], result["sequences"]) for result in printed["results"]] == [(2, 7), (5, 7)]


def test_evaluate_prints_a_table(finished, capsys):
    assert run(["evaluate", str(finished), "--lengths", "2"]) == 0
    assert capsys.readouterr().out.split()[:4] == ["length", "sequences", "cost", "bits"]


def test_evaluate_without_lengths_uses_those_of_the_task(finished, capsys):
    assert run(["evaluate", str(finished), "--sequences", "1", "--json"]) == 0
    assert [r["length"] for r in json.loads(capsys.readouterr().out)["results"]] == [10, 20, 30, 50, 120]


def test_evaluate_reproduces_the_evaluation_at_the_end_of_training(finished, capsys):
    assert run(["evaluate", str(finished), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == json.loads((finished / "evaluation.json").read_text())


@pytest.mark.usefixtures("without_report")
def test_evaluate_can_change_an_option_of_the_task(capsys, tmp_path):
    folder = tmp_path / "run"
    assert run(["train", "ntm", "repeat-copy", *TINY, *NTM, "--task.max-repeats", "2", "--out", str(folder)]) == 0
    costs = []
    for most in (1, 6):
        capsys.readouterr()
        repeats = ["--task.min-repeats", str(most), "--task.max-repeats", str(most)]
        assert run(["evaluate", str(folder), "--lengths", "3", "--sequences", "4", *repeats, "--json"]) == 0
        costs.append(json.loads(capsys.readouterr().out)["results"][0]["cost_bits"])
    assert costs[1] > 2 * costs[0]


@pytest.mark.usefixtures("without_report")
def test_evaluate_can_change_the_number_of_slots(capsys, tmp_path):
    folder = tmp_path / "run"
    assert run(["train", "dnc", "copy", *TINY, *NTM, "--out", str(folder)]) == 0
    costs = []
    for slots in ([], ["--slots", "6"], ["--slots", "2"]):
        capsys.readouterr()
        assert run(["evaluate", str(folder), "--lengths", "5", "--sequences", "4", *slots, "--json"]) == 0
        costs.append(json.loads(capsys.readouterr().out)["results"][0]["cost_bits"])
    assert costs[0] == costs[1] != costs[2]


def test_training_starts_from_the_weights_of_another_run(capsys, tmp_path):
    first, then = tmp_path / "first", tmp_path / "then"
    assert run(["train", "dnc", "copy", *TINY, *NTM, "--out", str(first)]) == 0
    more = ["--weights", str(first), "--train.learning-rate", "1e-30", "--seed", "5"]
    assert run(["train", "dnc", "copy", *TINY, *NTM[2:], *more, "--model.slots", "9", "--out", str(then)]) == 0
    assert json.loads((then / "config.json").read_text())["weights"] == str(first)
    assert "initial weights of" in (then / "report.html").read_text()
    assert "initial weights" not in (first / "report.html").read_text()
    weights = [load_file(folder / "weights.safetensors") for folder in (first, then)]
    torch.testing.assert_close(weights[1], weights[0], rtol=0, atol=0)
    assert json.loads((then / "config.json").read_text())["model_options"]["slots"] == 9
    shutil.rmtree(first)
    assert run(["evaluate", str(then), "--lengths", "2", "--sequences", "2"]) == 0


def test_mismatched_weights_are_refused_before_anything_is_written(finished, capsys, tmp_path):
    for words, sentence in (
        (["lstm", "copy"], f"the weights of {finished} belong to another network ("),
        (
            ["ntm", "copy", "--train.restarts", "2", "--train.restart-after", "2"],
            "every restart is the same; leave one out",
        ),
    ):
        capsys.readouterr()
        given = [*words, *TINY, *(NTM if "ntm" in words else []), "--weights", str(finished)]
        assert run(["train", *given, "--out", str(tmp_path / "run")]) == 2
        printed = capsys.readouterr().err
        assert sentence in printed
        assert printed.count("\n") == 1
        assert not (tmp_path / "run").exists()
    assert run(["train", "ntm", "copy", *TINY, "--weights", "nowhere", "--out", str(tmp_path / "run")]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--slots", "9"],
            "slots is 9, but cell.machine.memory.initial_logits of this NTM has a value for each of",
        ),
        (["--slots", "0"], "slots of NTMCell is 0, but it must be at least 1"),
        (["--lengths", "0"], "lengths are 0..0, but Copy needs 1 <= shortest <= longest"),
        (["--lengths", "two"], "Invalid value"),
        (["--sequences", "0"], "sequences is 0, but it must be at least 1"),
        (["--task.bitz", "3"], "Unknown option: --task.bitz. Did you mean --task.bits?"),
    ],
)
def test_an_invalid_evaluation_is_refused_with_one_sentence(finished, capsys, words, sentence):
    assert run(["evaluate", str(finished), *words]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1


def test_report_draws_the_report_again(copied, capsys):
    (copied / "report.html").unlink()
    (copied / "figures" / "memory.png").unlink()
    assert run(["report", str(copied)]) == 0
    assert capsys.readouterr().out.strip() == str(copied / "report.html")
    assert (copied / "report.html").is_file()
    assert (copied / "figures" / "memory.png").is_file()


def test_resume_draws_a_missing_report_of_a_finished_run(copied, capsys):
    (copied / "report.html").unlink()
    before = (copied / "metrics.jsonl").read_bytes()
    assert run(["resume", str(copied)]) == 0
    assert capsys.readouterr().out == f"the training run in {copied} is finished; there is nothing to continue\n"
    assert (copied / "report.html").is_file()
    assert (copied / "metrics.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("weights.safetensors", b"", "weights.safetensors has 0 bytes, but manifest.json lists"),
        ("config.json", b"{}", "config.json has 2 bytes, but manifest.json lists"),
        ("metrics.jsonl", b"", "metrics.jsonl has 0 bytes, but manifest.json lists"),
        ("manifest.json", b"{}", "manifest.json was changed"),
    ],
)
def test_a_damaged_run_is_refused_with_one_sentence(copied, capsys, name, content, sentence):
    (copied / name).write_bytes(content)
    assert run(["report", str(copied)]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.usefixtures("without_report")
def test_the_command_line_overrides_the_file_and_the_file_overrides_the_recipe(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("[model]\nslots = 6\nwidth = 5\ncontroller_size = 8\n[train]\nlearning_rate = 0.5\n")
    assert tomllib.loads(file.read_text())
    folder = tmp_path / "run"
    assert run(["train", "ntm", "copy", *TINY, "--model.width", "4", "--config", str(file), "--out", str(folder)]) == 0
    config = json.loads((folder / "config.json").read_text())
    assert config["model_options"]["width"] == 4
    assert config["model_options"]["slots"] == 6
    assert config["train"]["learning_rate"] == 0.5
    assert config["train"]["momentum"] == 0.9
    assert config["train"]["optimizer"] == "rmsprop"


@pytest.mark.usefixtures("without_report")
def test_another_recipe_can_be_given(tmp_path):
    folder = tmp_path / "run"
    words = ["train", "ntm", "copy", *TINY, *NTM, "--recipe", "ntm-gru-copy", "--out", str(folder)]
    assert run(words) == 0
    assert json.loads((folder / "config.json").read_text())["model_options"]["controller"] == "gru"


@pytest.mark.usefixtures("without_report")
def test_a_file_can_name_another_recipe(tmp_path):
    file, folder = tmp_path / "settings.toml", tmp_path / "run"
    file.write_text('recipe = "ntm/copy-gru"\n')
    assert run(["train", "ntm", "copy", *TINY, *NTM, "--config", str(file), "--out", str(folder)]) == 0
    config = json.loads((folder / "config.json").read_text())
    assert config["recipe"] == "ntm/copy-gru"
    assert config["model_options"]["controller"] == "gru"


def test_a_failed_training_run_ends_with_one_sentence(tmp_path, capsys):
    words = ["train", "ntm", "copy", *TINY, *NTM, "--train.learning-rate", "1e38", "--train.clip", "none"]
    assert run([*words, "--out", str(tmp_path / "run")]) == 1
    assert "is not finite; lower the learning rate" in capsys.readouterr().err


def test_a_model_without_a_tape_has_a_report_too(tmp_path):
    folder = tmp_path / "run"
    words = ["train", "lstm", "copy", *TINY, "--model.hidden-size", "8", "--out", str(folder)]
    assert run(words) == 0
    assert (folder / "report.html").is_file()
    assert not (folder / "figures" / "memory.png").exists()
