"""File lock: a file that only one process can lock at a time, and that names its owner."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)
"""Errors of a file system that has no locks, such as some network drives."""


@contextmanager
def file_lock(file: Path) -> Iterator[int | None]:
    """Lock a file, created if needed; yield its descriptor, or None while another process has the lock.

    The system releases the lock when the process ends for any reason, so a lock whose owner is dead is free; a child
    with the descriptor keeps the lock. On a file system without locks, every process gets it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
        opened.truncate(0)
        opened.write(json.dumps({"process": os.getpid(), "host": socket.gethostname(), "since": _now()}))
        opened.flush()
        try:
            yield opened.fileno()
        finally:
            opened.truncate(0)


def owner_of(file: Path) -> str:
    """Return the owner of a locked file in words: its process, its host, and since when it has the lock."""
    try:
        owner = json.loads(file.read_text())
        return f"process {int(owner['process'])} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, TypeError, KeyError):  # the owner has just taken the lock, or released it
        return "another process"


def _now() -> str:
    return datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
