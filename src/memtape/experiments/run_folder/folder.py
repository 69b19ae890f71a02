"""Run folder: write, read and check the files of a run.

config.json        the resolved experiment: model, task, their options, training settings, seed
environment.json   versions, processor, threads, commit
metrics.jsonl      one record per line, of training and validation; the last one may be the reason of a stop
checkpoints/       what a training run needs to resume
tracker/           the files of a tracker, if there is one
run.lock           locked by the process that trains
weights.safetensors
result.json        the outcome
evaluation.json    scores by length
manifest.json      size and SHA-256 of the files above, after training has finished
figures/           PNG and SVG
report.html        all of these on one page
"""

import errno
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from memtape.core import manifest
from memtape.core.atomic_write import write_atomically
from memtape.core.errors import RequestError
from memtape.core.given_path import given_path
from memtape.core.new_folder import new_folder
from memtape.experiments.file_lock import file_lock, owner_of
from memtape.experiments.run_folder.schema import check_form, is_record

CONFIGURATION, ENVIRONMENT, WEIGHTS = "config.json", "environment.json", "weights.safetensors"
RESULT, EVALUATION = "result.json", "evaluation.json"

COPIED = (CONFIGURATION, ENVIRONMENT, "metrics.jsonl")
"""Files that every checkpoint contains a copy of."""
FINAL = (*COPIED, WEIGHTS, RESULT, EVALUATION)
"""Files of a finished training run that are listed in its manifest."""

VOCABULARY = "vocabulary.json"
"""The meaning of each symbol of the task, by index, for a task with symbols."""

LOCK = "run.lock"
"""The file that the process which trains has locked."""

TAKEN = (errno.EEXIST, errno.ENOTEMPTY)
"""Errors of a new folder whose name was given to another one meanwhile."""

LARGEST_JSON = 2**20
"""Largest size in bytes of a JSON file of a run; a parsed file takes more memory than its size."""


class RunError(RequestError):
    """A run folder that cannot be written or read; the message states the reason and the cure."""


class Run:
    """A run folder and its files.

    Args:
        folder: its path.
    """

    def __init__(self, folder: str | Path):
        self.folder = given_path(folder)
        self.checkpoints = self.folder / "checkpoints"
        self.figures = self.folder / "figures"
        self.tracker = self.folder / "tracker"
        self.metrics_file = self.folder / "metrics.jsonl"
        self.report_file = self.folder / "report.html"

    @classmethod
    def create(
        cls,
        folder: Path,
        config: Mapping[str, Any],
        environment: Mapping[str, Any],
        vocabulary: Sequence[str] | None = None,
    ) -> "Run":
        """Create a folder and write configuration and environment, and the vocabulary of the task if it has one.

        Raises:
            RunError: the folder is not empty, or cannot be written.
        """
        folder = given_path(folder)
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise RunError(_taken(folder))
            if not folder.name:
                raise RunError(f"the run folder {folder} is the current folder; give the name of a new one")
            with new_folder(folder) as partial:
                run = cls(partial)
                run.figures.mkdir()
                run.write(CONFIGURATION, config)
                run.write(ENVIRONMENT, environment)
                if vocabulary is not None:
                    run.write(VOCABULARY, list(vocabulary))
        except OSError as error:
            if error.errno in TAKEN:
                raise RunError(_taken(folder)) from None
            raise RunError(
                f"the run folder {folder} cannot be created ({error.strerror}); give a writable folder"
            ) from None
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open the folder of a finished training run.

        Raises:
            RunError: there is no run, or it is not finished.
        """
        run = cls.open_any(folder)
        if not run.finished:
            raise RunError(
                f"the training run in {run.folder} is not finished (it has no manifest.json); "
                f"continue with `memtape resume {run.folder}`"
            )
        return run

    @classmethod
    def open_any(cls, folder: Path) -> "Run":
        """Open the folder of a training run, finished or not.

        Raises:
            RunError: there is none.
        """
        folder = given_path(folder)
        if not folder.is_dir():
            raise RunError(f"there is no run folder {folder}; give a folder that `memtape train` printed")
        if not any((folder / name).exists() for name in (CONFIGURATION, "checkpoints", manifest.MANIFEST)):
            raise RunError(f"{folder} has no config.json, so it is not a run folder; give one that is")
        return cls(folder)

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own the folder for training, which only one process can do at a time.

        Raises:
            RunError: another process owns it, or the folder cannot be written.
        """
        file = self.folder / LOCK
        with ExitStack() as stack:
            with _write_errors_as_run_errors(file):
                lock = stack.enter_context(file_lock(file))
            if lock is None:
                raise RunError(
                    f"the training run in {self.folder} belongs to {owner_of(file)}; wait for its end, or stop that process"
                )
            yield

    @property
    def has_owner(self) -> bool:
        """Whether a process trains in the folder now."""
        if not (self.folder / LOCK).exists():
            return False
        with file_lock(self.folder / LOCK) as lock:
            return lock is None

    @property
    def finished(self) -> bool:
        """Whether training has finished."""
        return (self.folder / manifest.MANIFEST).exists()

    def finish(self) -> None:
        """Write the manifest, by which all files of the finished run are checked from now on.

        Raises:
            RunError: it cannot be written.
        """
        with _write_errors_as_run_errors(self.folder / manifest.MANIFEST):
            known = (VOCABULARY,) if (self.folder / VOCABULARY).exists() else ()
            manifest.write_manifest(self.folder, (*FINAL, *known))

    def read_verified(self, name: str) -> bytes:
        """Return the contents of a file of a finished training run.

        Raises:
            RunError: the file or the manifest is damaged.
        """
        try:
            return manifest.read_verified(self.folder, name, manifest.read_manifest(self.folder))
        except manifest.DamagedError as error:
            raise RunError(str(error)) from None

    def write(self, name: str, value: Any) -> None:
        """Write a JSON file completely, or keep the old one."""
        self.replace(name, (json.dumps(value, indent=2) + "\n").encode())

    def replace(self, name: str, content: bytes) -> None:
        """Write a file completely, or keep the old one.

        Raises:
            RunError: it cannot be written.
        """
        with _write_errors_as_run_errors(self.folder / name):
            write_atomically(self.folder / name, content)

    def read(self, name: str) -> Any:
        """Read a JSON file; check it first if the run is finished.

        Raises:
            RunError: it is missing, damaged, too large, not JSON, or has the wrong contents.
        """
        if not self.finished and not os.path.lexists(self.folder / name):
            raise RunError(f"{self.folder} has no {name}; evaluate or train the run again")
        return self.parsed(name, self.content(name))

    def parsed(self, name: str, content: bytes) -> Any:
        """Parse the contents of a JSON file of this run.

        Raises:
            RunError: the contents are too large, not JSON, or wrong.
        """
        path = self.folder / name
        try:
            if len(content) > LARGEST_JSON:
                raise ValueError(f"it has {len(content)} bytes of at most {LARGEST_JSON}")
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{path} is not JSON ({error}); restore the file or train again") from None
        try:
            check_form(name, value)
        except ValueError as error:
            raise RunError(f"{path} is not a valid file of a run ({error}); restore the file or train again") from None
        return value

    def content(self, name: str) -> bytes:
        """Return the contents of a file; check it first if the run is finished.

        Raises:
            RunError: it is missing or damaged.
        """
        if self.finished:
            return self.read_verified(name)
        try:
            return manifest.read_file(self.folder, name)
        except manifest.DamagedError as error:
            raise RunError(str(error)) from None

    @contextmanager
    def metrics(self) -> Iterator[IO[str]]:
        """Open the metrics file for appending lines."""
        with self.metrics_file.open("a", buffering=1) as file:
            yield file

    def vocabulary(self) -> list[str] | None:
        """Return the meaning of each symbol of the task in training, or None if it has no symbols.

        Raises:
            RunError: the file is damaged.
        """
        known: list[str] | None = self.read(VOCABULARY) if os.path.lexists(self.folder / VOCABULARY) else None
        return known

    def records(self) -> list[dict[str, Any]]:
        """Return the metrics in the order of writing, without an incomplete last line of a killed run.

        Raises:
            RunError: the run is finished and its metrics are damaged, or a line is not a record.
        """
        if not self.finished and not self.metrics_file.exists():
            return []
        lines = self.content(self.metrics_file.name).splitlines(keepends=True)
        try:
            records = [json.loads(line) for line in lines if line.endswith(b"\n")]
        except (ValueError, RecursionError):
            records = [None]
        if not all(map(is_record, records)):
            raise RunError(f"{self.metrics_file} has a line that is not a record; restore the file or train again")
        return records

    def stop(self) -> str | None:
        """Return the step and the reason of a stop; None if training did not stop, or has continued since."""
        try:
            last = (self.records() or [{}])[-1]
        except RunError:  # a resumed run continues from the metrics of a checkpoint, not from these
            return None
        return f"at step {last['step']}, as {last['place']} is not finite" if last.get("kind") == "stopped" else None

    def restore(self, files: Mapping[str, bytes]) -> None:
        """Restore the files of a checkpoint."""
        for name, content in files.items():
            self.replace(name, content)


def default_folder(model: str, task: str, seed: int) -> Path:
    """Return a new name for a run under `runs/`, by model, task, seed and time, with random digits at the end."""
    return Path("runs") / f"{model}-{task}-seed{seed}-{moment()}"


def moment() -> str:
    """Return the time and random digits, so that names of the same second differ."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"


def _taken(folder: Path) -> str:
    return f"{folder} exists and is not an empty folder; give another name or remove it"


@contextmanager
def _write_errors_as_run_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}); free disk space or give another folder") from None
