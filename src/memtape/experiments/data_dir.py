"""Data folder: decides where a task reads its data. All commands decide it here.

The first of these that is given holds:

1. the flag `--data-dir`;
2. the option `data_dir` of the task, from the command line, a configuration file or a recipe;
3. the environment variable MEMTAPE_DATA_DIR, which serves all tasks; for a trained run only if the run was trained on data;
4. for a trained run, the folder of its training;
5. none: the task generates synthetic data.

A file that an option of a task names, such as that of a user's own stories, is looked for in the current folder.

`memtape resume` always reads the data folder of the run, so that the run continues on the same data.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memtape.core.errors import RequestError
from memtape.core.given_path import given_path

VARIABLE = "MEMTAPE_DATA_DIR"

FILES = ("stories",)
"""Options of tasks that name a file of the user."""


class DataDirError(RequestError):
    """A folder of data for a task that reads none."""


def with_data_dir(
    task: str, options: Mapping[str, Any], *, flag: Path | None = None, trained: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the options of a task with the folder of its data, and with absolute paths.

    Args:
        task: name of the task.
        options: options of the task; for a trained run those that differ from its training.
        flag: the folder that `--data-dir` or a caller names; None if it is not given.
        trained: options of the task in training; None if there is no trained run.

    Raises:
        DataDirError: `flag` is given, but the task reads no data.
    """
    known = with_absolute_files({**(trained or {}), **options})
    if "data_dir" not in known:
        if flag is not None:
            raise DataDirError(f"the data folder is {flag}, but {task} reads no data; leave it out")
        return known
    if flag is not None:
        folder: Any = str(given_path(flag).absolute())
    elif trained is None:
        folder = _given(known["data_dir"]) or _from_environment()
    elif "data_dir" in options:
        folder = _given(options["data_dir"])
    else:
        folder = trained["data_dir"] and (_from_environment() or trained["data_dir"])
    return {**known, "data_dir": folder}


def with_absolute_files(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a task with absolute paths of the files that they name."""
    return {
        name: _given(value) if name in FILES and isinstance(value, str) else value for name, value in options.items()
    }


def _from_environment() -> str | None:
    folder = os.environ.get(VARIABLE)
    return str(given_path(folder).absolute()) if folder else None


def _given(folder: str | None) -> str | None:
    return str(given_path(folder).absolute()) if folder else folder
