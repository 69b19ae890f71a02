"""Tracking: send the metrics of a training run to a tracker that writes into the run folder only."""

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
"""The name of the project of all runs, for trackers that have projects."""


class TrackerError(WorkError):
    """An error of a tracker; the message states the reason and the cure."""


def require_tracker(name: str) -> None:
    """Raise an error unless the library of a tracker is installed.

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
    """Start a tracker, yield a function that receives records, and close the tracker at the end, also after an error.

    A tracker has a copy of the metrics: its earlier files are removed, and it receives all records again. So a resumed
    training run is one curve, with nothing missing and nothing twice. Environment variables that are already set take
    precedence over the folder and over staying offline.

    Args:
        name: the tracker, "none" for none.
        folder: where the tracker writes.
        title: the name of the run in the tracker.
        options: the options of the run, by name.
        records: the records until now.

    Yields:
        A function that sends a record's numbers to the tracker, as `kind/name` at its step.

    Raises:
        TrackerError: the tracker failed.
    """
    if name == "none":
        yield lambda _: None
        return
    variables, arguments = _offline(name, folder.absolute(), title)
    with _environment(variables):
        with _tracker_errors(name, folder):
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
            with _tracker_errors(name, folder):
                tracker.log(numbers, step=record["step"])

        try:
            with _tracker_errors(name, folder):
                tracker.store_init_configuration(_without_none(options))
            for record in records:
                tell(record)
            yield tell
        except BaseException:
            with suppress(Exception):
                tracker.finish()
            raise
        with _tracker_errors(name, folder):
            tracker.finish()


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    """Replace None by "none", as on the command line; TensorBoard rejects None."""
    return {name: "none" if value is None else value for name, value in options.items()}


def _offline(name: str, folder: Path, title: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the variables and arguments that make a tracker write into a folder and stay offline."""
    if name == "tensorboard":
        return {}, {"run_name": "", "logging_dir": folder}
    if name == "trackio":
        return {"TRACKIO_DIR": str(folder)}, {"run_name": PROJECT, "name": title}
    if name == "wandb":
        # As arguments, since wandb reads its variables only once per process.
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
    """Set unset environment variables inside this context."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _tracker_errors(name: str, folder: Path) -> Iterator[None]:
    """Turn any error of a tracker into a TrackerError; each tracker has its own types."""
    try:
        yield
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:  # the first cause, such as an error of a database, is the clearest
            cause = cause.__cause__
        reason = next(iter(str(cause).splitlines()), "") or type(cause).__name__
        raise TrackerError(
            f"the tracker {name} failed ({reason}); repair that and continue with `memtape resume {folder.parent}`"
        ) from error


def _refuse_former_folder() -> None:
    import trackio

    if Path(os.environ["TRACKIO_DIR"]) != Path(trackio.TRACKIO_DIR):
        raise OSError(f"it writes to {trackio.TRACKIO_DIR} until this process ends; train in another process")
