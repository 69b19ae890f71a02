"""Workers: trainings in processes of their own, a few at a time, so that none can break another."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

from memtape.core.whole_file import write_whole
from memtape.recipes.held import held

COMMAND = (sys.executable, "-m", "memtape")
LOOK = 0.1
"""Seconds between two looks at whether a training ended or is to be stopped."""
PATIENCE = 120.0
"""Seconds that a training which was asked to end has for it."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training and its places.

    Args:
        words: the words of `memtape train`, without --out.
        folder: its run folder; beside it stand files of the same name with the endings .log, .lock and .failure.json.
    """

    words: tuple[str, ...]
    folder: Path

    @property
    def failure_file(self) -> Path:
        """Where it is written why the training failed."""
        return self.folder.with_name(f"{self.folder.name}.failure.json")

    @property
    def log_file(self) -> Path:
        """Where its standard error goes."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def ended(self) -> bool:
        """Whether it was trained to its end, or failed."""
        return (self.folder / "result.json").is_file() or self.failure_file.is_file()

    def failure(self) -> dict[str, Any] | None:
        """Return why it failed, as "exit" and "last_line"; None if it did not."""
        return json.loads(self.failure_file.read_text()) if self.failure_file.is_file() else None


def carry_out(trainings: Sequence[Training], *, jobs: int, stop: Event, ended: Callable[[Training], None]) -> None:
    """Train until all have ended or `stop` is set; what has ended already is not trained again.

    A training that was begun and not ended is resumed from its last checkpoint; where that fails it is trained anew. One that
    fails writes why, and the others go on.

    Args:
        trainings: what to train.
        jobs: how many at a time.
        stop: once set, trainings are asked to end and waited for.
        ended: receives each training as it ends, or at once if it has.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_train, training, stop): training for training in trainings}
        for future in as_completed(waiting):
            future.result()
            if waiting[future].ended:
                ended(waiting[future])


def _train(training: Training, stop: Event) -> None:
    """Carry one training out; one that a sweep left running when it was killed is waited for."""
    while not (training.ended or stop.is_set()):
        with held(training.folder.with_name(f"{training.folder.name}.lock")) as lock:
            if lock is not None:
                _begin_or_go_on(training, lock, stop)
                return
        time.sleep(LOOK)


def _begin_or_go_on(training: Training, lock: int, stop: Event) -> None:
    if training.ended:
        return
    if (training.folder / "config.json").is_file():
        failure = _run(["resume", str(training.folder)], training, lock, stop)
        if failure is None or stop.is_set():
            return
    if training.folder.exists():
        _move_aside(training.folder)
    failure = _run(["train", *training.words, "--out", str(training.folder)], training, lock, stop)
    if failure is not None and not stop.is_set():
        write_whole(training.failure_file, f"{json.dumps(failure, indent=2)}\n".encode())


def _run(words: Sequence[str], training: Training, lock: int, stop: Event) -> dict[str, Any] | None:
    """Run `memtape` with these words on one thread; return why the training has no result then, None if it has one."""
    with training.log_file.open("ab") as log:
        before = log.tell()
        process = subprocess.Popen(
            [*COMMAND, *words],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,  # the keyboard stops the sweep, which then ends its trainings one by one
        )
    while process.poll() is None:
        if stop.wait(LOOK):
            _end(process)
    if (training.folder / "result.json").is_file():
        return None
    code = process.returncode
    lines = training.log_file.read_bytes()[before:].decode(errors="replace").split("\n")
    return {
        "exit": f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}",
        "last_line": next((line.strip() for line in reversed(lines) if line.strip()), ""),
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a training to end, which it does after a checkpoint, and wait for it."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _move_aside(folder: Path) -> None:
    """Give a training that cannot be resumed another name, so that its place is free and nothing is lost."""
    names = (folder.with_name(f"{folder.name}.left{number}") for number in count(1))
    folder.rename(next(name for name in names if not name.exists()))
