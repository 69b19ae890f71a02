"""File lock: a file that one process locks, so that no other one does the same work at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_lock(file: Path) -> Iterator[int | None]:
    """Lock a file, made if need be; yield its descriptor, or None while another process has the lock.

    The system releases the lock when the process ends, however it ends; a child that has the descriptor keeps it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield opened.fileno()
