"""`memtape runs`: the table, one run, and several side by side."""

import json
import os

import pytest

from memtape.cli.main import run
from memtape.experiments.experiment import Experiment
from memtape.training.settings import TrainSettings


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a finished run, an unfinished and younger one, and a damaged one."""
    monkeypatch.chdir(tmp_path)
    for name, layers, age in (("finished", 1, 200), ("begun", 2, 100)):
        make(tmp_path / "runs" / name, layers, age, finished=name == "finished")
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / "config.json").write_text("no")
    (tmp_path / "runs" / "notes").mkdir()
    return tmp_path / "runs"


def make(place, layers, age, *, finished):
    place.mkdir(parents=True)
    experiment = Experiment(
        model="lstm",
        task="associative-recall",
        model_options={"layers": layers},
        task_options={},
        train=TrainSettings(learning_rate=0.01 * layers),
    )
    config = place / "config.json"
    config.write_text(json.dumps(experiment.config()))
    os.utime(config, (1e9 - age, 1e9 - age))
    records = [
        {"kind": kind, "step": step, "sequences": 16 * step, "cost_bits": 9.0 / step, "wrong_bits": 1.0 * layers}
        for step in (1, 2, 3)
        for kind in ("train", "validation")
    ]
    (place / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (place / "environment.json").write_text(json.dumps({"torch": "2.13.0"}))
    if finished:
        scores = {"cost_bits": 3.0, "wrong_bits": 1.0}
        result = {"solved": True, "solved_step": 3, "steps": 3, "sequences": 48, "seconds": 12.5, "scores": scores}
        (place / "result.json").write_text(json.dumps(result))
        (place / "evaluation.json").write_text(json.dumps([{"length": 10, "sequences": 5, **scores}]))


def printed(capsys, *words):
    assert run(list(map(str, words))) == 0
    return capsys.readouterr().out


def refused(capsys, *words):
    assert run(list(map(str, words))) == 2
    told = capsys.readouterr()
    assert told.err.startswith("memtape: ")
    assert told.err.count("\n") == 1
    return told.err


def test_the_list_is_sorted_by_time_and_names_what_is_damaged(capsys, folder):
    head, first, second, damaged = printed(capsys, "runs", "list").splitlines()
    assert " ".join(head.split()) == "name model task seed state steps solved cost bits wrong bits seconds"
    assert " ".join(first.split()) == "finished lstm associative-recall 0 finished 3 yes 3 1 12.5"
    assert " ".join(second.split()) == "begun lstm associative-recall 0 unfinished 3 \N{EN DASH} 3 2 \N{EN DASH}"
    assert damaged.startswith("damaged: runs/damaged/config.json is not JSON")


def stopped(place):
    """Leave nothing in a run's metrics but why it stopped."""
    record = {"kind": "stopped", "step": 2, "sequences": 32, "place": "the loss"}
    (place / "metrics.jsonl").write_text(json.dumps(record) + "\n")


def test_a_run_that_stopped_is_told_with_its_reason(capsys, folder):
    stopped(folder / "begun")
    reason = "at step 2, as the loss is not finite"
    _, _, row, *sentences = printed(capsys, "runs", "list").splitlines()
    assert row.split()[:6] == ["begun", "lstm", "associative-recall", "0", "stopped", "2"]
    assert sentences[0] == f"stopped: runs/begun {reason}"
    assert json.loads(printed(capsys, "runs", "list", "--json"))["stopped"] == {"runs/begun": reason}
    assert printed(capsys, "runs", "show", "runs/begun").splitlines()[2] == f"stopped {reason}"


def test_the_list_as_json(capsys, folder):
    told = json.loads(printed(capsys, "runs", "list", folder, "--json"))
    assert [row["name"] for row in told["runs"]] == ["finished", "begun"]
    assert told["runs"][0]["solved"] is True
    assert told["runs"][0]["begun"] < told["runs"][1]["begun"]
    assert list(told["damaged"]) == [str(folder / "damaged")]


def test_a_folder_without_runs_says_so(capsys, tmp_path):
    assert printed(capsys, "runs", "list", tmp_path).startswith(f"there are no runs in {tmp_path}; `memtape train`")
    assert "there is no folder" in refused(capsys, "runs", "list", tmp_path / "nowhere")


def test_a_run_is_shown_with_its_changes_scores_and_environment(capsys, folder):
    shown = [line.split() for line in printed(capsys, "runs", "show", folder / "finished").splitlines()]
    assert ["model.layers", "1", "3"] in shown
    assert ["train.learning_rate", "0.01", "0.001"] in shown
    assert ["10", "5", "3", "1"] in shown
    assert ["torch", "2.13.0"] in shown
    assert not any(line[:1] == ["train.steps"] for line in shown)


def test_an_unfinished_run_is_shown_too(capsys, folder):
    assert "scores by length: none" in printed(capsys, "runs", "show", folder / "begun")


def test_runs_are_compared_side_by_side(capsys, folder):
    shown = printed(capsys, "runs", "compare", "runs/finished", "runs/begun")
    lines = [line.split() for line in shown.splitlines()]
    assert ["option", "runs/finished", "runs/begun"] in lines
    assert ["model.layers", "1", "2"] in lines
    assert ["train.learning_rate", "0.01", "0.02"] in lines
    assert not any(line[:1] == ["train.steps"] for line in lines)
    assert any(line[:1] == ["runs/begun"] and "unfinished" in line for line in lines)
    assert "wrote comparison.png" in shown
    assert (folder.parent / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_the_figure_goes_where_it_is_wanted(capsys, folder, tmp_path):
    figure = tmp_path / "new" / "two.svg"
    printed(capsys, "runs", "compare", "runs/finished", "runs/begun", "--figure", figure)
    assert all(name in figure.read_text() for name in ("runs/finished", "runs/begun"))


def test_the_same_run_twice_differs_in_nothing(capsys, folder):
    assert "options that differ: none" in printed(capsys, "runs", "compare", "runs/begun", folder / "begun")


def test_runs_without_a_metric_have_no_figure(capsys, folder):
    (folder / "finished" / "metrics.jsonl").unlink()
    stopped(folder / "begun")
    assert "so there is no figure" in printed(capsys, "runs", "compare", "runs/finished", "runs/begun")
    assert not (folder.parent / "comparison.png").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "runs/damaged"), "runs/damaged/config.json is not JSON"),
        (("show", "runs/notes"), "runs/notes has no config.json, so it is not a run folder"),
        (("show", "nowhere"), "nowhere has no config.json, so it is not a run folder"),
        (("compare", "runs/begun"), "the runs to compare are 1, but there must be two or more"),
        (("compare", "runs/begun", "runs/damaged"), "runs/damaged/config.json is not JSON"),
        (("compare", "runs/begun", "runs/finished", "--figure", "a.pdf"), "the figure a.pdf ends in '.pdf'"),
        (
            ("compare", "runs/begun", "runs/finished", "--figure", "file/a.png"),
            "the figure file/a.png cannot be written",
        ),
        (("lst",), 'Did you mean "list"?'),
    ],
)
def test_a_wrong_request_gets_one_sentence(capsys, folder, words, sentence):
    (folder.parent / "file").write_text("")
    assert sentence in refused(capsys, "runs", *words)
