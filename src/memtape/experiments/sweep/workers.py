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

from memtape.core.atomic_write import write_atomically
from memtape.experiments.file_lock import file_lock
from memtape.experiments.run_folder.folder import Run
from memtape.training.checkpoints import Checkpoints

COMMAND = (sys.executable, "-m", "memtape")
KILLS = 3
"""So often may a training be killed in a row without coming to another checkpoint; then it failed."""
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
    def finished(self) -> bool:
        """Whether it was trained to its end."""
        return Run(self.folder).finished

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do: it finished with its report, or failed."""
        return (self.finished and Run(self.folder).report_file.is_file()) or self.failure_file.is_file()

    def saved(self) -> list[int]:
        """Return the last update of which there is a checkpoint, in a list that is empty if there is none."""
        return Checkpoints(Run(self.folder).checkpoints, {}, keep=1).steps()[-1:]

    def failure(self) -> dict[str, Any] | None:
        """Return why it failed, as "exit" and "last_line"; None if it did not."""
        return json.loads(self.failure_file.read_text()) if self.failure_file.is_file() else None


def run_trainings(
    trainings: Sequence[Training],
    *,
    jobs: int,
    stop: Event,
    ended: Callable[[Training], None],
    killed: Callable[[Training, str], None],
) -> None:
    """Run trainings until all have ended or `stop` is set; what has ended already is not trained again.

    A training that was begun and not ended, or is killed, is resumed from its last checkpoint; where that cannot be done it is
    trained anew. One that fails, or is killed again and again before it comes further, writes why, and the others go on.

    Args:
        trainings: what to train.
        jobs: how many at a time.
        stop: once set, trainings are asked to end and waited for.
        ended: receives each training as it ends, or at once if it has.
        killed: receives each training that was killed and goes on, and by what; called in threads.

    Raises:
        OSError: a log or a failure cannot be written; the others are asked to end.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_train, training, stop, killed): training for training in trainings}
        try:
            for future in as_completed(waiting):
                future.result()
                if waiting[future].ended:
                    ended(waiting[future])
        except BaseException:
            stop.set()  # else the others would be waited for to their ends
            raise


def _train(training: Training, stop: Event, killed: Callable[[Training, str], None]) -> None:
    """Carry one training out; one that a sweep left running when it was killed is waited for."""
    while not (training.ended or stop.is_set()):
        with file_lock(training.folder.with_name(f"{training.folder.name}.lock")) as lock:
            if lock is not None:
                _go_on(training, lock, stop, killed)
                return
        time.sleep(LOOK)


def _go_on(training: Training, lock: int, stop: Event, killed: Callable[[Training, str], None]) -> None:
    """Begin a training, or go on with it, until it has ended."""
    in_vain = 0
    while not (training.ended or stop.is_set()):
        resumed, before = (training.folder / "config.json").is_file(), training.saved()
        if not resumed and training.folder.exists():
            _move_aside(training.folder)
        words = (
            ["resume", str(training.folder)] if resumed else ["train", *training.words, "--out", str(training.folder)]
        )
        end = _run(words, training, lock, stop)
        if training.ended or stop.is_set():
            return
        if end.killed:
            in_vain = in_vain + 1 if training.saved() == before else 1
            if in_vain < KILLS:
                killed(training, end.in_words)
                continue
        elif resumed and Run(training.folder).stop() is None and not training.finished:
            _move_aside(training.folder)  # it cannot be resumed
            continue
        failure = {"exit": end.in_words, "last_line": end.last_line}
        write_atomically(training.failure_file, f"{json.dumps(failure, indent=2)}\n".encode())


@dataclass(frozen=True, kw_only=True)
class _End:
    """How a process ended, below 0 by a signal, and the last line that it said."""

    code: int
    last_line: str

    @property
    def killed(self) -> bool:
        """Whether somebody else ended it: by a signal, or by one upon which it saved and left."""
        return self.code <= 0

    @property
    def in_words(self) -> str:
        """The code or the signal in words."""
        names = {-number.value: number.name for number in signal.Signals}
        return f"exit code {self.code}" if self.code >= 0 else f"signal {names.get(self.code, -self.code)}"


def _run(words: Sequence[str], training: Training, lock: int, stop: Event) -> _End:
    """Run `memtape` with these words on one thread, and say how that ended."""
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
    lines = training.log_file.read_bytes()[before:].decode(errors="replace").split("\n")
    last_line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return _End(code=process.returncode, last_line=last_line)


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
