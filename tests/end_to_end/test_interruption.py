"""Interruptions: kills, signals, several processes, and a process that dies."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from memtape.cli.main import run

ROBUSTNESS = Path(__file__).parents[1] / "robustness"
WORDS = [
    *("train", "ntm", "copy", "--model.slots", "6", "--model.width", "4", "--model.controller-size", "8"),
    *("--task.bits", "2", "--task.max-length", "3", "--train.batch-size", "6", "--train.optimizer", "adam"),
    *("--train.validate-every", "10", "--train.validation-sequences", "64", "--train.device", "cpu"),
    *("--train.tbptt", "3", "--train.carry", "--train.patience", "30"),
]
LONG = ["--train.steps", "1000000"]


@pytest.mark.parametrize(
    ("kills", "processes"),
    [(3, 1), pytest.param(20, 1, marks=pytest.mark.slow), pytest.param(3, 2, marks=pytest.mark.slow)],
)
def test_killed_training_runs_reach_the_same_bits(kills, processes):
    words = [sys.executable, str(ROBUSTNESS / "crash.py"), "--kills", str(kills), "--processes", str(processes)]
    finished = subprocess.run(words, capture_output=True, text=True, check=False, timeout=250)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    counted = re.fullmatch(
        r"(\d+) kills in (\d+) runs, processes: \d; the same bits: (\d+) of (\d+) runs\n", finished.stdout
    )
    assert int(counted[1]) == kills
    assert counted[2] == counted[3] == counted[4]


@pytest.mark.slow
def test_killed_sweeps_reach_the_same_report():
    words = [sys.executable, str(ROBUSTNESS / "sweep_crash.py"), "--kills", "4"]
    finished = subprocess.run(words, capture_output=True, text=True, check=False, timeout=250)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    counted = re.fullmatch(r"4 kills in (\d+) sweeps, .*; the same report: (\d+) of (\d+)\n", finished.stdout)
    assert counted[1] == counted[2] == counted[3]


def start(words, *, index=0, count=1, meeting=None):
    """Start a command in a new process, one of several that meet at a file."""
    together = {
        "RANK": str(index),
        "LOCAL_RANK": str(index),
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "MEMTAPE_RENDEZVOUS": f"file://{meeting}",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "memtape", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", **(together if count > 1 else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_two(words, meeting):
    return [start(words, index=index, count=2, meeting=meeting) for index in range(2)]


def wait_for_checkpoint(run, least=1):
    for _ in range(600):
        steps = [int(path.name[5:]) for path in (run / "checkpoints").glob("step-*")]
        if steps and max(steps) >= least:
            return
        time.sleep(0.1)
    raise AssertionError(f"no checkpoint of step {least} was written")


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_saves_a_checkpoint_and_ends_with_exit_code_0(tmp_path, number):
    run = tmp_path / "run"
    training = start([*WORDS, *LONG, "--out", str(run)])
    wait_for_checkpoint(run)
    training.send_signal(number)
    printed, messages = training.communicate(timeout=60)
    assert training.returncode == 0, messages
    step = int(re.fullmatch(rf"ended early, saved at step (\d+); continue with `memtape resume {run}`\n", printed)[1])
    assert (run / "checkpoints" / f"step-{step:09d}").is_dir()
    assert not (run / "result.json").exists()


SHARED = [*WORDS, "--train.steps", "60", "--train.save-every", "20", "--train.keep", "9", "--train.accumulate", "2"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return the run of one process, with which the runs of several are compared."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    assert run([*SHARED, "--out", str(folder)]) == 0
    return folder


@pytest.mark.parametrize(("parallel", "then"), [("ddp", 1), pytest.param("fsdp", 2, marks=pytest.mark.slow)])
def test_two_processes_reach_the_result_of_one_and_any_number_can_resume_their_run(tmp_path, alone, parallel, then):
    two = start_two([*SHARED, "--train.parallel", parallel, "--out", str(tmp_path / "two")], tmp_path / "meeting")
    outputs = [training.communicate(timeout=120) for training in two]
    assert [training.returncode for training in two] == [0, 0], outputs
    assert "validation:" in outputs[0][1]
    assert outputs[1][0] == ""
    assert "validation:" not in outputs[1][1]
    for name in ("weights.safetensors", "checkpoints/step-000000060/optimizer.safetensors"):
        ours, theirs = load_file(tmp_path / "two" / name), load_file(alone / name)
        for tensor, value in theirs.items():
            assert ours[tensor].sub(value).abs().max() <= 1e-4 * (1 + value.abs().max()), (name, tensor)
    for mine, other in zip(records(tmp_path / "two"), records(alone), strict=True):
        assert mine == pytest.approx(other, rel=1e-3)

    (tmp_path / "two" / "manifest.json").unlink()
    for step in (40, 60):
        for path in (tmp_path / "two" / "checkpoints" / f"step-{step:09d}").iterdir():
            path.unlink()
    words, meeting = ["resume", str(tmp_path / "two")], tmp_path / "meeting again"
    again = [start(words, index=index, count=then, meeting=meeting) for index in range(then)]
    outputs = [training.communicate(timeout=120) for training in again]
    assert [training.returncode for training in again] == [0] * then, outputs
    assert "continuing from step 20" in outputs[0][1]
    for mine, other in zip(records(tmp_path / "two"), records(alone), strict=True):
        assert mine == pytest.approx(other, rel=1e-3)


def records(run):
    """Return the numbers of every record, ordered by kind."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in sorted(line.items()) if name != "kind"} for line in lines]


@pytest.mark.slow
def test_a_process_that_dies_ends_the_others_with_a_sentence(tmp_path):
    run = tmp_path / "run"
    first, second = start_two([*WORDS, *LONG, "--out", str(run)], tmp_path / "meeting")
    wait_for_checkpoint(run)
    second.kill()
    _, message = first.communicate(timeout=60)
    assert first.returncode == 1, message
    assert "memtape: process 0 of 2 cannot reach the others" in message
    assert "Traceback" not in message
    second.communicate()
    assert second.returncode == -signal.SIGKILL
