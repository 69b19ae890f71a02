"""Held: a file that one process holds, so that no other one does the same work at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_lock(file: Path) -> Iterator[int | None]:
    """Hold a file, made if need be; yield its descriptor, or None while another process holds it.

    The system lets go when the process ends, however it ends; a child that was given the descriptor holds the file on.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield opened.fileno()
