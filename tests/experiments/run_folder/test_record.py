"""Run folder: read in any state, or refused by name."""

import json

import pytest

from memtape.experiments.experiment import Experiment
from memtape.experiments.run_folder.folder import Run, RunError
from memtape.experiments.run_folder.record import RunRecord, run_folders
from memtape.training.settings import TrainSettings

RECORDS = [
    {"kind": "train", "step": 2, "sequences": 4, "cost_bits": 9.0, "wrong_bits": 3.0},
    {"kind": "validation", "step": 2, "sequences": 4, "cost_bits": 5.0, "wrong_bits": 2.0},
    {"kind": "validation", "step": 4, "sequences": 8, "cost_bits": 7.0, "wrong_bits": 1.0},
]
RESULT = {
    "solved": False,
    "solved_step": None,
    "steps": 4,
    "sequences": 8,
    "seconds": 1.5,
    "scores": {"cost_bits": 5.0, "wrong_bits": 2.0},
}

ROW = {"model": "lstm", "task": "copy", "seed": 3, "steps": 4, "cost_bits": 5.0, "wrong_bits": 2.0}


@pytest.fixture
def made(tmp_path):
    """Return a function that makes a run folder."""

    def make(name="run", *, result=None, records=RECORDS, **changes):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        settings = {"model": "lstm", "task": "copy", "model_options": {"layers": 1}, "task_options": {}, "seed": 3}
        experiment = Experiment(**{**settings, "train": TrainSettings(steps=4), **changes})
        (folder / "config.json").write_text(json.dumps(experiment.config()))
        (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        if result:
            (folder / "result.json").write_text(json.dumps(result))
        return folder

    return make


def test_a_finished_run_is_a_row_with_its_result(made):
    finished = {"state": "finished", "solved": False, "seconds": 1.5}
    assert RunRecord.read(made(result=RESULT)).row() == ROW | finished


def test_an_unfinished_run_is_a_row_with_its_best_validation_so_far(made):
    assert RunRecord.read(made()).row() == ROW | {"state": "unfinished", "solved": None, "seconds": None}


STOPPED = {"kind": "stopped", "step": 5, "sequences": 10, "place": "the loss"}


def test_a_stopped_run_reports_step_and_reason_until_it_is_resumed(made):
    run = RunRecord.read(made("stopped", records=[*RECORDS, STOPPED]))
    assert run.row() == ROW | {"state": "stopped", "steps": 5, "solved": None, "seconds": None}
    assert run.stop == "at step 5, as the loss is not finite"
    assert RunRecord.read(made("gone on", records=[*RECORDS, STOPPED, RECORDS[0]])).stop is None


def test_a_run_without_a_validation_has_no_scores(made):
    row = RunRecord.read(made(records=[])).row()
    assert (row["steps"], row["cost_bits"], row["wrong_bits"]) == (0, None, None)


def test_changes_are_the_differences_from_the_constructors(made):
    run = RunRecord.read(made(task_options={"bits": 8, "max_length": 5}))
    assert run.changes() == {"model.layers": (1, 3), "task.max_length": (5, 20), "train.steps": (4, 10_000)}
    assert run.experiment.options()["task.bits"] == 8


def test_an_incomplete_last_line_is_ignored(made):
    folder = made()
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "st')
    assert RunRecord.read(folder).records == RECORDS


def test_a_folder_without_metrics_has_no_records(tmp_path):
    assert Run(tmp_path).records() == []


def test_runs_are_found_at_any_depth_but_not_inside_other_runs(made, tmp_path):
    made("b/deep/run")
    made("a")
    made("a/checkpoints/inner")
    (tmp_path / "empty").mkdir()
    assert list(run_folders(tmp_path)) == [tmp_path / "a", tmp_path / "b" / "deep" / "run"]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("config.json", "no", r"config\.json is not JSON"),
        ("config.json", "[]", r"config\.json is not a valid file of a run"),
        ("config.json", '{"name": "x", "train": {}}', "is not a run of this version of memtape"),
        ("result.json", "no", r"result\.json is not JSON"),
        (
            "result.json",
            "{}",
            r"result\.json is not a valid file of a run \(solved: Field required\); restore",
        ),
        ("result.json", "[]", r"result\.json is not a valid file of a run"),
        ("metrics.jsonl", "no\n", r"metrics\.jsonl has a line that is not a record; restore the file or train again"),
        ("metrics.jsonl", "[]\n", r"metrics\.jsonl has a line that is not a record"),
        ("metrics.jsonl", '{"kind": "stopped"}\n', r"metrics\.jsonl has a line that is not a record"),
        ("metrics.jsonl", '{"kind": "validation"}\n', r"metrics\.jsonl has a line that is not a record"),
        ("evaluation.json", "no", r"evaluation\.json is not JSON"),
    ],
)
def test_a_damaged_file_is_named(made, shapes_unchecked, name, text, sentence):
    folder = made(result=RESULT)
    (folder / name).write_text(text)
    with pytest.raises(RunError, match=sentence):
        RunRecord.read(folder)


@pytest.mark.parametrize("name", ["config.json", "environment.json", "metrics.jsonl", "result.json", "evaluation.json"])
@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_any_damage_to_a_finished_run_is_named(made, shapes_unchecked, name, damage):
    folder = made(result=RESULT)
    (folder / "environment.json").write_text("{}")
    (folder / "evaluation.json").write_text(json.dumps([{"length": 10, "sequences": 5, **RESULT["scores"]}]))
    (folder / "weights.safetensors").write_bytes(b"")
    Run(folder).finish()
    assert RunRecord.read(folder).row()["state"] == "finished"
    (folder / name).unlink() if damage == "lost" else (folder / name).write_text((folder / name).read_text() + " ")
    with pytest.raises(RunError, match=rf"{name} (is missing|has \d+ bytes, but manifest\.json lists)"):
        RunRecord.read(folder)


def test_a_run_of_an_unknown_model_is_named(made):
    folder = made()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model": "lstn"}))
    with pytest.raises(RunError, match=r'is not a run of this version of memtape: there is no model "lstn"; did you'):
        RunRecord.read(folder)


def test_a_folder_that_is_not_a_run_is_named(tmp_path):
    with pytest.raises(RunError, match=r"has no config\.json, so it is not a run folder; `memtape runs list` lists"):
        RunRecord.read(tmp_path)
    with pytest.raises(RunError, match=r"there is no folder .*nowhere; give one with run folders in it"):
        list(run_folders(tmp_path / "nowhere"))
