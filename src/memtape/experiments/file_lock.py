"""File lock: a file that only one process can lock at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_lock(file: Path) -> Iterator[int | None]:
    """Lock a file, created if needed; yield its descriptor, or None while another process has the lock.

    The system releases the lock when the process ends for any reason; a child with the descriptor keeps the lock.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield opened.fileno()
