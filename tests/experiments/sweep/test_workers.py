"""Workers: training runs that fail, are killed, are left behind or are stopped, while all others continue."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from memtape.experiments.file_lock import file_lock
from memtape.experiments.run_folder.folder import Run
from memtape.experiments.sweep.workers import Training, run_all

pytestmark = pytest.mark.usefixtures("fake_training")


@pytest.fixture
def training(tmp_path):
    """Return a function that makes a training run from its seed and learning rate."""

    def make(seed, rate=0.01):
        file = tmp_path / f"rate{rate}.toml"
        file.write_text(f"[train]\nlearning_rate = {rate}\n")
        return Training(
            words=("lstm", "copy", "--config", str(file), "--seed", str(seed)), folder=tmp_path / f"seed{seed}"
        )

    return make


def run_workers(*training_runs, jobs=2, kills=None):
    ended, kills = [], [] if kills is None else kills
    run_all(
        training_runs,
        jobs=jobs,
        stop=threading.Event(),
        ended=ended.append,
        killed=lambda training, by: kills.append((training, by)),
    )
    return ended


def calls(tmp_path):
    file = tmp_path / "calls"
    return sorted(file.read_text().splitlines()) if file.exists() else []


def test_all_are_trained_on_one_thread_each(training, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    training_runs = [training(seed) for seed in range(3)]
    assert sorted(run_workers(*training_runs), key=str) == training_runs
    assert calls(tmp_path) == ["train seed0 1", "train seed1 1", "train seed2 1"]
    assert all(one.ended and one.failure() is None for one in training_runs)
    assert all("update 1" in one.log_file.read_text() for one in training_runs)


def test_finished_runs_are_not_trained_again(training, tmp_path):
    training_runs = [training(0), training(1, rate=0.5)]
    run_workers(*training_runs)
    assert sorted(run_workers(*training_runs), key=str) == training_runs
    assert calls(tmp_path) == ["train seed0 1", "train seed1 1"]


def test_a_failed_training_run_is_reported_and_the_others_continue(training):
    training_runs = [training(0, rate=0.5), training(1, rate=0.25), training(2)]
    assert len(run_workers(*training_runs)) == 3
    assert training_runs[0].failure() == {
        "exit": "exit code 1",
        "last_line": "memtape: the loss at update 2 is not finite",
    }
    assert training_runs[1].failure() == {"exit": "signal SIGKILL", "last_line": "update 1"}
    assert training_runs[2].failure() is None


def test_a_killed_training_run_is_resumed_as_long_as_it_makes_progress(training, tmp_path):
    kills, one, in_vain = [], training(0, rate=0.125), training(1, rate=0.25)
    run_workers(one, in_vain, kills=kills)
    assert one.failure() is None
    assert calls(tmp_path) == sorted(
        [*("resume seed0 1" for _ in range(4)), "train seed0 1", *("resume seed1 1" for _ in range(2)), "train seed1 1"]
    )
    assert in_vain.failure() == {"exit": "signal SIGKILL", "last_line": "update 1"}
    assert [(by, kills.count((one, by)), kills.count((in_vain, by))) for by in {by for _, by in kills}] == [
        ("signal SIGKILL", 4, 2)
    ]


def test_a_training_run_stopped_by_another_process_is_resumed(training, tmp_path, monkeypatch):
    """It ends with exit code 0, like a run that saved a checkpoint after a signal, and has no result."""
    code = "import pathlib, sys; pathlib.Path(sys.argv[-1]).mkdir(exist_ok=True)"
    monkeypatch.setattr("memtape.experiments.sweep.workers.COMMAND", (sys.executable, "-c", code))
    kills, one = [], training(0)
    run_workers(one, kills=kills)
    assert kills == [(one, "exit code 0")] * 2
    assert one.failure() == {"exit": "exit code 0", "last_line": ""}


def test_a_training_run_that_stopped_before_its_sweep_was_killed_is_not_trained_again(training, tmp_path):
    one = training(0)
    one.folder.mkdir()
    (one.folder / "config.json").write_text(json.dumps({"seed": 0, "rate": 0.5}))
    stopped = {"kind": "stopped", "step": 2, "sequences": 32, "place": "the loss"}
    (one.folder / "metrics.jsonl").write_text(json.dumps(stopped) + "\n")
    run_workers(one)
    assert calls(tmp_path) == ["resume seed0 1"]
    assert one.failure()["last_line"] == "memtape: the loss at update 2 is not finite"


def test_a_training_run_killed_while_drawing_its_report_is_resumed_to_draw_it(training, tmp_path):
    one = training(0)
    run_workers(one)
    (one.folder / "report.html").unlink()
    assert not one.ended
    run_workers(one)
    assert calls(tmp_path) == ["resume seed0 1", "train seed0 1"]
    assert (one.folder / "report.html").exists()


def test_an_unfinished_training_run_is_resumed(training, tmp_path):
    one = training(0)
    one.folder.mkdir()
    (one.folder / "config.json").write_text(json.dumps({"seed": 0, "rate": 0.02}))
    run_workers(one)
    assert calls(tmp_path) == ["resume seed0 1"]
    assert json.loads((one.folder / "result.json").read_text())["scores"]["cost_bits"] == 2


@pytest.mark.parametrize("left", [["config.json", "broken"], ["figures"]])
def test_a_run_that_cannot_be_resumed_is_moved_aside_and_trained_again(training, tmp_path, left):
    one = training(0)
    one.folder.mkdir()
    (tmp_path / "seed0.left1").mkdir()
    for name in left:
        (one.folder / name).write_text("{}")
    run_workers(one)
    resumed = ["resume seed0 1"] if "config.json" in left else []
    assert calls(tmp_path) == [*resumed, "train seed0 1"]
    assert {path.name for path in (tmp_path / "seed0.left2").iterdir()} == set(left)
    assert one.failure() is None


def test_a_training_run_left_running_by_a_killed_sweep_is_waited_for(training, tmp_path):
    one = training(0)
    with file_lock(tmp_path / "seed0.lock") as lock:
        code = (
            "import json, pathlib, time; time.sleep(0.5)\n"
            f"folder = pathlib.Path({str(one.folder)!r}); folder.mkdir()\n"
            "(folder / 'manifest.json').touch(); (folder / 'report.html').touch()"
        )
        left = subprocess.Popen([sys.executable, "-c", code], pass_fds=[lock])
    assert len(run_workers(one)) == 1
    assert left.wait() == 0
    assert calls(tmp_path) == []


def test_a_training_run_that_was_resumed_by_hand_is_waited_for(training, tmp_path):
    one, stop = training(0), threading.Event()
    one.folder.mkdir()
    (one.folder / "config.json").write_text("{}")
    with Run(one.folder).owned():
        threading.Timer(0.5, stop.set).start()
        run_all([one], jobs=1, stop=stop, ended=print, killed=print)
        assert calls(tmp_path) == []
    run_workers(one)
    assert calls(tmp_path)[0] == "resume seed0 1"


def test_a_training_run_keeps_its_lock_when_its_sweep_is_killed(training, tmp_path, fake_training):
    one = training(0)
    code = (
        "import threading; from pathlib import Path; import memtape.experiments.sweep.workers as workers\n"
        f"workers.COMMAND = {fake_training!r}\n"
        f"one = workers.Training(words={one.words!r}, folder=Path({str(one.folder)!r}))\n"
        "workers.run_all([one], jobs=1, stop=threading.Event(), ended=print, killed=print)"
    )
    sweep = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "FAKE_TRAINING_SECONDS": "1"})
    while not (one.folder / "config.json").exists():
        time.sleep(0.02)
    sweep.kill()
    sweep.wait()
    assert not one.ended
    assert run_workers(one) == [one]
    assert calls(tmp_path) == ["train seed0 1"]


def test_a_log_that_cannot_be_written_ends_the_others(training, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_TRAINING_SECONDS", "60")
    (tmp_path / "seed1.log").mkdir()
    before = time.monotonic()
    with pytest.raises(IsADirectoryError):
        run_workers(training(0), training(1))
    assert time.monotonic() - before < 20


def test_as_many_runs_as_jobs_run_at_a_time(training, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_TRAINING_SECONDS", "0.3")
    most, stop = [], threading.Event()

    def look():
        while not stop.wait(0.02):
            started = {path.parent.name for path in tmp_path.glob("seed*/config.json")}
            done = {path.parent.name for path in tmp_path.glob("seed*/result.json")}
            most.append(len(started - done))

    watch = threading.Thread(target=look)
    watch.start()
    run_workers(*(training(seed) for seed in range(4)), jobs=2)
    stop.set()
    watch.join()
    assert max(most) == 2


def test_a_stop_ends_the_running_ones_and_starts_no_others(training, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_TRAINING_SECONDS", "60")
    stop, ended = threading.Event(), []
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    before = time.monotonic()
    run_all([training(0), training(1)], jobs=1, stop=stop, ended=ended.append, killed=lambda *_: None)
    assert time.monotonic() - before < 20
    assert ended == []
    assert calls(tmp_path) == ["train seed0 1"]
    assert not list(tmp_path.glob("*.failure.json"))


def test_a_lock_file_is_held_by_one_process(tmp_path):
    with file_lock(tmp_path / "new" / "lock") as first:
        assert os.fstat(first)
        with file_lock(tmp_path / "new" / "lock") as second:
            assert second is None
    with file_lock(tmp_path / "new" / "lock") as third:
        assert third is not None
