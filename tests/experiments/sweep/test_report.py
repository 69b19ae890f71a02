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

pytestmark = pytest.mark.usefixtures("fake_training")


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
    (summary,) = report["configurations"]
    assert [row["seed"] for row in summary["rows"]] == [0, 1, 2]
    assert [row["solved"] for row in summary["rows"]] == [True, False, False]
    assert [row["cost_bits"] for row in summary["rows"]] == [1, 2, 3]
    assert (summary["solved"], summary["trained"], summary["value"]) == (1, 3, 2)
    assert summary["interval"] == pytest.approx((0.0615, 0.7923), abs=5e-5)
    assert summary["steps_until_solved"] == {"low": 2, "median": 2, "high": 2}
    assert summary["steps"] == {"low": 2, "median": 2, "high": 2}
    assert summary["seconds"]["low"] <= summary["seconds"]["median"] <= summary["seconds"]["high"]
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


def test_if_all_runs_fail_there_is_a_report_without_a_best_configuration(tmp_path):
    report, files = reported(tmp_path, 0.5)
    assert report["best"] is None
    assert files == [tmp_path / "report.json"]
    assert json.loads(files[0].read_text())["configurations"][0]["value"] is None
