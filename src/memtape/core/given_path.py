"""Given path: a path as a user wrote it, with the home folder for `~`, and the regular file there."""

import os
import stat
from pathlib import Path


def given_path(path: str | Path) -> Path:
    """Return a path in which a `~` at the start is replaced by the home folder, as a shell does.

    A name after the `~` that no user has stays as it is.
    """
    return Path(os.path.expanduser(path))


def read_given(path: str | Path, *, most: int | None = None) -> bytes:
    """Return the bytes of a regular file; others are refused, as a pipe may never end.

    Args:
        path: the file.
        most: number of bytes after which reading ends; None reads all.

    Raises:
        OSError: the file is missing, is not a regular file, or cannot be read.
    """
    file = given_path(path)
    mode = file.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # opening a folder is an error of its own
        raise OSError(None, "not a regular file", str(file))
    with file.open("rb") as opened:
        return opened.read(-1 if most is None else most)
