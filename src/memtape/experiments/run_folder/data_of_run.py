"""Data of a run: record which data a run was trained on, and compare it with the data of now."""

from collections.abc import Mapping
from typing import Any

from memtape.core.data_record import DataRecord
from memtape.core.task import Task
from memtape.experiments.run_folder.folder import CONFIGURATION, Run, RunError

KEY = "data"
"""The entry of config.json with the record."""


def data_entry(task: Task) -> dict[str, Any]:
    """Return the entry of the configuration with the data of a task; empty for a task that its generator defines."""
    record = task.data_record()
    return {} if record is None else {KEY: record.to_json()}


def recorded_data(run: Run) -> DataRecord | None:
    """Return the data that a run was trained on; None if it was not recorded.

    Raises:
        RunError: the record is not one.
    """
    return record_in(run, run.read(CONFIGURATION))


def record_in(run: Run, config: Mapping[str, Any]) -> DataRecord | None:
    """Return the record of the data in a configuration of a run; None if there is none.

    Raises:
        RunError: the record is not one.
    """
    if KEY not in config:
        return None
    try:
        return DataRecord.from_json(config[KEY])
    except ValueError as error:
        raise RunError(
            f"{run.folder / CONFIGURATION} is not a valid file of a run ({error}); restore the file or train again"
        ) from None


def other_data(run: Run, config: Mapping[str, Any], task: Task) -> str | None:
    """Return a sentence if a task has other data than that of training; None if it has the same.

    Args:
        run: the run.
        config: its configuration.
        task: the task with the data of now.

    Raises:
        RunError: the record of the data is damaged.
    """
    before, now = record_in(run, config), task.data_record()
    if before is None or now is None:
        return None
    difference = before.difference(now)
    return None if difference is None else f"the data differs from that of the training run {run.folder}: {difference}"
