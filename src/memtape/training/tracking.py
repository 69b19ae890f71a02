"""Tracking: what a training records, told to a tracker too, which writes into the run folder and nowhere else."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from memtape.core.errors import WorkError
from memtape.training.settings import SettingsError

PROJECT = "memtape"
"""Under what trackers that know projects file all runs."""


class TrackerError(WorkError):
    """A tracker that gave up; the sentence says why and what to do."""


def require_tracker(name: str) -> None:
    """Refuse a tracker whose library is not installed.

    Args:
        name: the tracker, "none" for none.

    Raises:
        SettingsError: its library is not installed.
    """
    if name == "none":
        return
    try:
        metadata.version(name)  # not found by its module: wandb itself leaves folders that look like one
    except metadata.PackageNotFoundError:
        raise SettingsError(f'tracker is {name}, which is not installed; run pip install "memtape[{name}]"') from None


@contextmanager
def tracking(
    name: str, folder: Path, *, title: str, options: Mapping[str, Any], records: Iterable[Mapping[str, Any]]
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Begin a tracker anew, hand out what takes a record, and close the tracker at the end, however that comes.

    A tracker is a copy of the metrics: what it wrote before is removed, and it is told all records again. So a training that
    was resumed has one curve in it, with nothing missing and nothing twice. Variables of the environment that are set
    already win over the folder and over staying offline.

    Args:
        name: the tracker, "none" for none.
        folder: where it writes.
        title: what it calls the run.
        options: what the run was told, by name.
        records: what was recorded until now.

    Yields:
        A function that tells the tracker a record's numbers, as `kind/name` at its step.

    Raises:
        TrackerError: the tracker failed.
    """
    if name == "none":
        yield lambda _: None
        return
    variables, arguments = _offline(name, folder.absolute(), title)
    with _environment(variables):
        with _told(name, folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if name == "trackio":
                _refuse_former_folder()
            tracker = LOGGER_TYPE_TO_CLASS[name](**arguments)
            tracker.start()

        def tell(record: Mapping[str, Any]) -> None:
            numbers = {
                f"{record['kind']}/{key}": value
                for key, value in record.items()
                if key != "step" and isinstance(value, (int, float))
            }
            with _told(name, folder):
                tracker.log(numbers, step=record["step"])

        try:
            with _told(name, folder):
                tracker.store_init_configuration(_without_none(options))
            for record in records:
                tell(record)
            yield tell
        except BaseException:
            with suppress(Exception):
                tracker.finish()
            raise
        with _told(name, folder):
            tracker.finish()


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    """Write none as the command line does; TensorBoard refuses None."""
    return {name: "none" if value is None else value for name, value in options.items()}


def _offline(name: str, folder: Path, title: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the variables and the arguments by which a tracker writes into a folder and stays off the network."""
    if name == "tensorboard":
        return {}, {"run_name": "", "logging_dir": folder}
    if name == "trackio":
        return {"TRACKIO_DIR": str(folder)}, {"run_name": PROJECT, "name": title}
    if name == "wandb":
        # As arguments, since wandb reads its variables once in a process.
        mode, place = os.environ.get("WANDB_MODE", "offline"), os.environ.get("WANDB_DIR", str(folder))
        variables = {"WANDB_CACHE_DIR": str(folder / "cache"), "WANDB_ERROR_REPORTING": "false"}
        arguments = {"run_name": PROJECT, "name": title, "mode": mode, "dir": place}
        return variables if mode == "offline" else {}, arguments
    own = "MLFLOW_TRACKING_URI" not in os.environ
    return (
        {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}", "MLFLOW_DISABLE_TELEMETRY": "true"},
        {"experiment_name": PROJECT, "run_name": title, "logging_dir": str(folder / "artifacts") if own else None},
    )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that are not set, for a while."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _told(name: str, folder: Path) -> Iterator[None]:
    """Turn what a tracker raises into a sentence; each has errors of its own."""
    try:
        yield
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:  # what a database said is told better by itself than by what came of it
            cause = cause.__cause__
        reason = next(iter(str(cause).splitlines()), "") or type(cause).__name__
        raise TrackerError(
            f"the tracker {name} failed ({reason}); repair that and go on with `memtape resume {folder.parent}`"
        ) from error


def _refuse_former_folder() -> None:
    import trackio

    if Path(os.environ["TRACKIO_DIR"]) != Path(trackio.TRACKIO_DIR):
        raise OSError(f"it writes to {trackio.TRACKIO_DIR} as long as this process lives, so train in another process")
