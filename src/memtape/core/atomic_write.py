"""Atomic write: write a file completely or not at all."""

import os
from pathlib import Path
from uuid import uuid4


def write_atomically(path: Path, content: bytes) -> None:
    """Write a temporary file and rename it to its path, so that a partial file is never visible; create missing folders.

    Args:
        path: path of the file; an existing file is replaced.
        content: the bytes to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{uuid4().hex}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
