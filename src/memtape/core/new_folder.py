"""New folder: create a folder with its files completely or not at all, by one process only."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a private folder to fill, which gets its name at the end of the block.

    The private folder is beside the new one and has a random name, so that several processes that create the same
    folder never see each other's files. One of them gives its folder the name; the others get the error.

    Args:
        folder: the new folder; an empty one is replaced.

    Raises:
        OSError: the folder has files, or it cannot be written.
    """
    partial = folder.with_name(f".{uuid4().hex}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
