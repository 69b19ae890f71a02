"""Sweep report: rows, summaries, and the best configuration."""

import json
import threading
import tomllib

import pytest

from memtape.experiments.experiment import Experiment
from memtape.experiments.sweep.report import report_of, write_sweep_report
from memtape.experiments.sweep.search_space import Choices, Space
from memtape.experiments.sweep.sweep import Listener, Plan, sweep
from memtape.training.settings import TrainSettings

pytestmark = pytest.mark.usefixtures("stand_in")


def reported(folder, *rates, seeds=(0, 1, 2)):
    experiment = Experiment(
        model="lstm", task="copy", model_options={}, task_options={}, train=TrainSettings(learning_rate=rates[0])
    )
    space = Space(trials=12, options={"train.learning_rate": Choices(values=rates)}) if len(rates) > 1 else None
    plan = Plan(experiment=experiment, seeds=seeds, space=space)
    configurations = sweep(plan, folder, jobs=2, stop=threading.Event(), listener=Listener(ended=print, killed=print))
    report = report_of(plan, configurations)
    return report, write_sweep_report(folder, report, configurations)


def test_a_row_for_each_seed_and_a_summary_of_all(tmp_path):
    report, files = reported(tmp_path, 0.01)
    (told,) = report["configurations"]
    assert [row["seed"] for row in told["rows"]] == [0, 1, 2]
    assert [row["solved"] for row in told["rows"]] == [True, False, False]
    assert [row["cost_bits"] for row in told["rows"]] == [1, 2, 3]
    assert (told["solved"], told["trained"], told["value"]) == (1, 3, 2)
    assert told["interval"] == pytest.approx((0.0615, 0.7923), abs=5e-5)
    assert told["steps_until_solved"] == {"low": 2, "median": 2, "high": 2}
    assert told["steps"] == {"low": 2, "median": 2, "high": 2}
    assert told["seconds"]["low"] <= told["seconds"]["median"] <= told["seconds"]["high"]
    assert {"torch", "processor", "commit"} <= report["environment"].keys()
    names = ["report.json", "best.toml", "learning_curves.png", "learning_curves.svg"]
    assert files == [tmp_path / name for name in names]
    assert json.loads(files[0].read_text()) == json.loads(json.dumps(report))
    assert "lstm on copy, configuration 0: 1 of 3 seeds solved" in files[3].read_text()


def test_the_best_configuration_comes_first_and_is_written_for_config(tmp_path):
    report, files = reported(tmp_path, 0.02, 0.03, 0.01)
    assert [one["values"]["train.learning_rate"] for one in report["configurations"]] == [0.01, 0.02, 0.03]
    assert report["best"] == report["configurations"][0]["number"] > 0
    assert tomllib.loads(files[1].read_text())["train"]["learning_rate"] == 0.01
    assert files[1].read_text().startswith("# The best configuration of a sweep: 1 of 3 seeds solved.\n")


def test_a_failure_is_a_row_and_counts_as_not_solved(tmp_path):
    report, _ = reported(tmp_path, 0.01, 0.5)
    fine, failed = report["configurations"]
    assert fine["value"] == 2
    assert failed["value"] is None
    assert (failed["solved"], failed["trained"], failed["seconds"]) == (0, 3, None)
    assert failed["rows"][0] == {
        "seed": 0,
        "failure": {"exit": "exit code 1", "last_line": "memtape: the loss at update 2 is not finite"},
    }


def test_where_everything_failed_there_is_a_report_and_nothing_best(tmp_path):
    report, files = reported(tmp_path, 0.5)
    assert report["best"] is None
    assert files == [tmp_path / "report.json"]
    assert json.loads(files[0].read_text())["configurations"][0]["value"] is None
