"""Workers: training runs in separate processes, a few at a time, so that none can break another."""

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
from memtape.experiments.run_folder.checkpoints import checkpoints_of
from memtape.experiments.run_folder.folder import CONFIGURATION, Run

COMMAND = (sys.executable, "-m", "memtape")
KILLS = 3
"""A training run that is killed this often in a row without a new checkpoint counts as failed."""
LOOK = 0.1
"""Seconds between two checks whether a training run ended or must stop."""
PATIENCE = 120.0
"""Seconds that a training run has to end after a request to stop."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training run and its files.

    Args:
        words: the arguments of `memtape train`, without --out.
        folder: its run folder; files of the same name with the suffixes .log, .lock and .failure.json are beside it.
    """

    words: tuple[str, ...]
    folder: Path

    @property
    def failure_file(self) -> Path:
        """The file with the reason of a failure."""
        return self.folder.with_name(f"{self.folder.name}.failure.json")

    @property
    def log_file(self) -> Path:
        """The file of its standard error."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def finished(self) -> bool:
        """Whether training has finished."""
        return Run(self.folder).finished

    @property
    def ended(self) -> bool:
        """Whether the run needs no more work: it finished with its report, or failed."""
        return (self.finished and Run(self.folder).report_file.is_file()) or self.failure_file.is_file()

    def saved(self) -> list[int]:
        """Return the step of the last checkpoint in a list, which is empty if there is none."""
        return checkpoints_of(Run(self.folder), keep=1).steps()[-1:]

    def failure(self) -> dict[str, Any] | None:
        """Return the reason of a failure as "exit" and "last_line", or None if it did not fail."""
        return json.loads(self.failure_file.read_text()) if self.failure_file.is_file() else None


def run_all(
    training_runs: Sequence[Training],
    *,
    jobs: int,
    stop: Event,
    ended: Callable[[Training], None],
    killed: Callable[[Training, str], None],
) -> None:
    """Execute training runs until all are done or `stop` is set; those already done are skipped.

    A training run that is unfinished or killed is resumed from its last checkpoint, or trained again if it cannot be
    resumed. A run that fails, or is killed repeatedly without progress, writes the reason, and the others continue.

    Args:
        training_runs: the training runs.
        jobs: number of training runs at a time.
        stop: when set, the training runs are stopped and awaited.
        ended: receives each training run when it ends, or at once if it is done.
        killed: receives each killed training run that continues, and its signal; called in threads.

    Raises:
        OSError: a log or a failure cannot be written; the others are stopped.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_train, training, stop, killed): training for training in training_runs}
        try:
            for future in as_completed(waiting):
                future.result()
                if waiting[future].ended:
                    ended(waiting[future])
        except BaseException:
            stop.set()  # otherwise the pool would wait until the others are done
            raise


def _train(training: Training, stop: Event, killed: Callable[[Training, str], None]) -> None:
    """Execute one training run; wait first for one that a killed sweep left running."""
    while not (training.ended or stop.is_set()):
        with file_lock(training.folder.with_name(f"{training.folder.name}.lock")) as lock:
            if lock is not None:
                _go_on(training, lock, stop, killed)
                return
        time.sleep(LOOK)


def _go_on(training: Training, lock: int, stop: Event, killed: Callable[[Training, str], None]) -> None:
    """Start or resume a training run until it is done."""
    in_vain = 0
    while not (training.ended or stop.is_set()):
        if Run(training.folder).has_owner:  # it was resumed by hand
            stop.wait(LOOK)
            continue
        resumed, before = (training.folder / CONFIGURATION).is_file(), training.saved()
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
        elif (
            resumed
            and not Run(training.folder).has_owner
            and Run(training.folder).stop() is None
            and not training.finished
        ):
            _move_aside(training.folder)  # it cannot be resumed
            continue
        failure = {"exit": end.in_words, "last_line": end.last_line}
        write_atomically(training.failure_file, f"{json.dumps(failure, indent=2)}\n".encode())


@dataclass(frozen=True, kw_only=True)
class _End:
    """The exit code of a process, negative for a signal, and its last line of output."""

    code: int
    last_line: str

    @property
    def killed(self) -> bool:
        """Whether it ended by a signal from outside, at once or after a checkpoint."""
        return self.code <= 0

    @property
    def in_words(self) -> str:
        """The exit code or the signal as text."""
        names = {-number.value: number.name for number in signal.Signals}
        return f"exit code {self.code}" if self.code >= 0 else f"signal {names.get(self.code, -self.code)}"


def _run(words: Sequence[str], training: Training, lock: int, stop: Event) -> _End:
    """Run `memtape` with these arguments on one thread, and return how it ended."""
    with training.log_file.open("ab") as log:
        before = log.tell()
        process = subprocess.Popen(
            [*COMMAND, *words],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C stops the sweep, which then stops its training runs one by one
        )
    while process.poll() is None:
        if stop.wait(LOOK):
            _end(process)
    lines = training.log_file.read_bytes()[before:].decode(errors="replace").split("\n")
    last_line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return _End(code=process.returncode, last_line=last_line)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM to a training run, which ends after a checkpoint, and wait for it."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _move_aside(folder: Path) -> None:
    """Rename the folder of a training run that cannot be resumed, so that nothing is lost."""
    names = (folder.with_name(f"{folder.name}.left{number}") for number in count(1))
    folder.rename(next(name for name in names if not name.exists()))
