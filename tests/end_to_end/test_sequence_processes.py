"""Two processes train networks of every kind of input like one process, with the whole network or a part of it each."""

import json
import os
import subprocess
import sys

import pytest

TINY = ["--train.steps", "3", "--train.batch-size", "4", "--train.validate-every", "1", "--train.device", "cpu"]
TINY += ["--train.validation-sequences", "70", "--train.patience", "60"]
NARROW = ["--model.hidden-size", "8"]
RUNS = {
    "trees": ["treelstm", "sentiment", "--model.dropout", "0", *NARROW],
    "pairs": ["seq2seq", "scan", *NARROW],
    "symbols": ["lstm", "char-lm", "--task.window", "12", *NARROW],
    "taught": [
        "jordan",
        "narma",
        "--task.min-length",
        "60",
        "--task.max-length",
        "60",
        "--task.washout",
        "20",
        *NARROW,
    ],
    "own loss": ["memnn", "babi", "--model.embedding-size", "8"],
}


def trained(folder, words, count):
    """Train in the given number of processes, and return the scores of the best validation."""
    processes = []
    for index in range(count):
        together = {"RANK": index, "LOCAL_RANK": index, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
        known = {name: str(value) for name, value in together.items()} if count > 1 else {}
        meeting = {"MEMTAPE_RENDEZVOUS": f"file://{folder}.meeting", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "memtape", "train", *words, *TINY, "--out", str(folder)]
        processes.append(
            subprocess.Popen(command, env={**os.environ, **known, **meeting}, stderr=subprocess.PIPE, text=True)
        )
    messages = [process.communicate(timeout=200)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * count, messages
    return json.loads((folder / "result.json").read_text())["scores"]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_two_processes_reach_the_scores_of_one(tmp_path, name):
    alone = trained(tmp_path / "alone", RUNS[name], 1)
    for parallel in ("ddp", "fsdp"):
        words = [*RUNS[name], "--train.parallel", parallel]
        assert trained(tmp_path / parallel, words, 2) == pytest.approx(alone, rel=1e-4)
