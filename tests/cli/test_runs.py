"""`memtape runs`: the table, one run, and a comparison of several runs."""

import json
import os

import pytest

from memtape.cli.main import run
from memtape.experiments.experiment import Experiment
from memtape.training.settings import TrainSettings


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a finished run, a newer unfinished run, and a damaged run."""
    monkeypatch.chdir(tmp_path)
    for name, layers, age in (("finished", 1, 200), ("unfinished", 2, 100)):
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
    output = capsys.readouterr()
    assert output.err.startswith("memtape: ")
    assert output.err.count("\n") == 1
    return output.err


def test_the_list_is_sorted_by_time_and_names_damaged_runs(capsys, folder):
    head, first, second, damaged = printed(capsys, "runs", "list").splitlines()
    assert " ".join(head.split()) == "name model task seed state steps solved cost bits wrong bits seconds"
    assert " ".join(first.split()) == "finished lstm associative-recall 0 finished 3 yes 3 1 12.5"
    assert " ".join(second.split()) == "unfinished lstm associative-recall 0 unfinished 3 \N{EN DASH} 3 2 \N{EN DASH}"
    assert damaged.startswith("damaged: runs/damaged/config.json is not JSON")


def test_the_list_of_a_run_folder_is_that_run_without_its_checkpoints(capsys, folder):
    copies = folder / "finished" / "checkpoints" / "step-3"
    copies.mkdir(parents=True)
    (copies / "config.json").write_text((folder / "finished" / "config.json").read_text())
    _, row, *others = printed(capsys, "runs", "list", "runs/finished").splitlines()
    assert row.split()[0] == "runs/finished"
    assert others == []


def stopped(place):
    """Replace a run's metrics by the record of its stop."""
    record = {"kind": "stopped", "step": 2, "sequences": 32, "place": "the loss"}
    (place / "metrics.jsonl").write_text(json.dumps(record) + "\n")


def test_a_stopped_run_is_listed_with_its_reason(capsys, folder):
    stopped(folder / "unfinished")
    reason = "at step 2, as the loss is not finite"
    _, _, row, *sentences = printed(capsys, "runs", "list").splitlines()
    assert row.split()[:6] == ["unfinished", "lstm", "associative-recall", "0", "stopped", "2"]
    assert sentences[0] == f"stopped: runs/unfinished {reason}"
    assert json.loads(printed(capsys, "runs", "list", "--json"))["stopped"] == {"runs/unfinished": reason}
    assert printed(capsys, "runs", "show", "runs/unfinished").splitlines()[2] == f"stopped {reason}"


def test_the_list_as_json(capsys, folder):
    output = json.loads(printed(capsys, "runs", "list", folder, "--json"))
    assert [row["name"] for row in output["runs"]] == ["finished", "unfinished"]
    assert output["runs"][0]["solved"] is True
    assert output["runs"][0]["begun"] < output["runs"][1]["begun"]
    assert list(output["damaged"]) == [str(folder / "damaged")]


def test_a_folder_without_runs_is_reported(capsys, tmp_path):
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
    assert "scores by length: none" in printed(capsys, "runs", "show", folder / "unfinished")


def test_runs_are_compared_side_by_side(capsys, folder):
    shown = printed(capsys, "runs", "compare", "runs/finished", "runs/unfinished")
    lines = [line.split() for line in shown.splitlines()]
    assert ["option", "runs/finished", "runs/unfinished"] in lines
    assert ["model.layers", "1", "2"] in lines
    assert ["train.learning_rate", "0.01", "0.02"] in lines
    assert not any(line[:1] == ["train.steps"] for line in lines)
    assert any(line[:1] == ["runs/unfinished"] and "unfinished" in line for line in lines)
    assert "wrote comparison.png" in shown
    assert (folder.parent / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_the_figure_is_written_to_the_given_path(capsys, folder, tmp_path):
    figure = tmp_path / "new" / "two.svg"
    printed(capsys, "runs", "compare", "runs/finished", "runs/unfinished", "--figure", figure)
    assert all(name in figure.read_text() for name in ("runs/finished", "runs/unfinished"))


def test_a_run_compared_with_itself_has_no_differences(capsys, folder):
    assert "options that differ: none" in printed(capsys, "runs", "compare", "runs/unfinished", folder / "unfinished")


def test_runs_without_a_metric_have_no_figure(capsys, folder):
    (folder / "finished" / "metrics.jsonl").unlink()
    stopped(folder / "unfinished")
    assert "so there is no figure" in printed(capsys, "runs", "compare", "runs/finished", "runs/unfinished")
    assert not (folder.parent / "comparison.png").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "runs/damaged"), "runs/damaged/config.json is not JSON"),
        (("show", "runs/notes"), "runs/notes has no config.json, so it is not a run folder"),
        (("show", "nowhere"), "nowhere has no config.json, so it is not a run folder"),
        (("compare", "runs/unfinished"), "the runs to compare are 1, but there must be two or more"),
        (("compare", "runs/unfinished", "runs/damaged"), "runs/damaged/config.json is not JSON"),
        (("compare", "runs/unfinished", "runs/finished", "--figure", "a.pdf"), "the figure a.pdf ends in '.pdf'"),
        (
            ("compare", "runs/unfinished", "runs/finished", "--figure", "file/a.png"),
            "the figure file/a.png cannot be written",
        ),
        (("lst",), 'Did you mean "list"?'),
    ],
)
def test_an_invalid_request_is_refused_with_one_sentence(capsys, folder, words, sentence):
    (folder.parent / "file").write_text("")
    assert sentence in refused(capsys, "runs", *words)
