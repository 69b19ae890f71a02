"""Crash: kill training runs at random times and check that they reach the same bits when they are resumed.

    python tests/robustness/crash.py --kills 200
    python tests/robustness/crash.py --kills 20 --processes 2

trains a small machine once without interruption, then repeatedly with SIGKILL at random times, also during saves, and
resumes it after each kill. A run is right if its weights, its optimiser's tensors, its random states and its metrics
file have the same bits. Training runs are forked from a process that has loaded all libraries, so that a kill
interrupts the training run and not the loading.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch._dynamo
import torch.distributed.tensor  # noqa: F401  a training would load them

from memtape.cli import train  # noqa: F401
from memtape.cli.main import run as carry_out
from memtape.experiments import resume
from memtape.experiments import train as training
from memtape.training.parallel.processes import MEETING_PLACE

WORDS = [
    *("train", "ntm", "copy", "--model.slots", "16", "--model.width", "6", "--model.controller-size", "16"),
    *("--task.bits", "3", "--task.max-length", "4", "--train.batch-size", "4", "--train.steps", "60"),
    *("--train.validate-every", "10", "--train.validation-sequences", "8", "--train.save-every", "2"),
    *("--train.tbptt", "4", "--train.carry", "--train.device", "cpu", "--train.threads", "1", "--train.patience", "20"),
]


FAULT = 70
"""Exit code of a process with an error that is not reported in one sentence."""


def fork(words: list[str], processes: int, meeting: Path) -> list[int]:
    """Run a command line in new processes and return their process ids."""
    children = []
    for index in range(processes):
        child = os.fork()
        if child:
            children.append(child)
            continue
        if processes > 1:
            os.environ.update(
                {
                    "RANK": str(index),
                    "LOCAL_RANK": str(index),
                    MEETING_PLACE: f"file://{meeting}",
                    "WORLD_SIZE": str(processes),
                    "LOCAL_WORLD_SIZE": str(processes),
                }
            )
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = FAULT
        try:
            code = carry_out(words)
        finally:
            os._exit(code)
    return children


def wait(children: list[int]) -> list[int]:
    """Wait for processes and return their exit codes, below 0 for signals."""
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def fingerprint(run: Path) -> dict[str, str]:
    """Return the digest of everything that must be equal; seconds may differ, and the commit if one is made meanwhile."""
    last = max((run / "checkpoints").iterdir())
    parts = {name: (run / name).read_bytes() for name in ("weights.safetensors", "metrics.jsonl")}
    parts |= {path.name: path.read_bytes() for path in last.iterdir() if path.name != "manifest.json"}
    for name, differs in {"progress.json": "seconds", "environment.json": "commit"}.items():
        parts[name] = json.dumps({**json.loads((last / name).read_text()), differs: None}).encode()
    return {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}


def killed(folder: Path, processes: int, longest: float, chooser: random.Random, kills: int) -> tuple[int, list[str]]:
    """Train a run that is killed at most the given number of times; return the number of kills, and the errors."""
    run, meeting, done = folder / "run", folder / "meeting", 0
    while True:
        words = ["resume", str(run)] if run.exists() else [*WORDS, "--out", str(run)]
        meeting.unlink(missing_ok=True)
        children = fork(words, processes, meeting)
        if done < kills:
            time.sleep(chooser.uniform(0, longest))
            alive = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
            if len(alive) == len(children):
                for child in children:
                    os.kill(child, signal.SIGKILL)
                wait(children)
                done += 1
                continue
            codes = wait(alive)
        else:
            codes = wait(children)
        return done, [f"exit codes {codes}"] if any(codes) else []


def without_figures(work: Callable[[], None]) -> None:
    """Leave out the scores by length and the figures of finished runs, which take longer than these training runs."""
    training.by_length = lambda *_, **__: [{"length": 4, "sequences": 0, "cost_bits": 0.0, "wrong_bits": 0.0}]
    training.write_run_report = lambda *_: None
    resume.report_run = lambda *_: None
    work()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="seed of the times of the kills")
    options = parser.parse_args()
    chooser = random.Random(options.seed)
    wrong: list[str] = []
    kills = runs = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        (folder / "whole").mkdir()
        killed(folder / "whole", options.processes, 0, chooser, 0)
        longest = time.perf_counter() - start
        wanted = fingerprint(folder / "whole" / "run")
        while kills < options.kills:
            place = folder / str(runs)
            place.mkdir()
            more, problems = killed(place, options.processes, longest, chooser, options.kills - kills)
            if not problems:
                found = fingerprint(place / "run")
                problems = [f"{part} differs" for part in wanted if found.get(part) != wanted[part]]
            wrong += [f"run {runs}: {problem}" for problem in problems]
            kills, runs = kills + more, runs + 1
            shutil.rmtree(place)
    broken = len({problem.partition(":")[0] for problem in wrong})
    print(
        f"{kills} kills in {runs} runs, processes: {options.processes}; the same bits: {runs - broken} of {runs} runs"
    )
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    without_figures(lambda: sys.exit(main()))
