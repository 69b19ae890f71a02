"""Manifest: record the sizes and digests of a folder's files, and verify the files before they are used.

manifest.json is canonical JSON (sorted keys, no spaces, ASCII), so that every changed bit is detected:

{"files": {NAME: {"bytes": SIZE, "sha256": DIGEST}}, "format": 1, "sha256": digest of the rest in the same form}
"""

import hashlib
import json
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from memtape.core.atomic_write import write_atomically
from memtape.core.errors import RequestError

MANIFEST = "manifest.json"
FORMAT = 1

LARGEST_MANIFEST = 2**20
"""Largest manifest in bytes, far more than the names of a folder need."""

DIGEST = re.compile("[0-9a-f]{64}")


class DamagedError(RequestError):
    """A file that differs from its manifest; the message names the file and the reason."""


def write_manifest(folder: Path, names: Iterable[str]) -> None:
    """Write the manifest of some files of a folder.

    Args:
        folder: the folder of the files and of the manifest.
        names: file names in the folder.

    Raises:
        ValueError: a name is not a plain file name, or there are more names than a manifest can hold.
        DamagedError: a file is missing or is not a regular file.
    """
    files = {}
    for name in names:
        if not _is_plain(name):
            raise ValueError(
                f"a file is named {name!r}, but a manifest lists files of its own folder; give a plain file name"
            )
        content = read_file(folder, name)
        files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    content = _sealed({"format": FORMAT, "files": files})
    if len(content) > LARGEST_MANIFEST:
        raise ValueError(
            f"a manifest of {len(files)} files has {len(content)} bytes, but {LARGEST_MANIFEST} are allowed; give fewer files"
        )
    write_atomically(folder / MANIFEST, content)


def read_manifest(folder: Path, *, links: bool = False) -> dict[str, Any]:
    """Read and validate the manifest of a folder.

    Args:
        folder: the folder.
        links: whether a link to a regular file is followed.

    Raises:
        DamagedError: the manifest is missing, too large, changed or invalid.
    """
    path = folder / MANIFEST
    content = read_file(folder, MANIFEST, most=LARGEST_MANIFEST, links=links)
    try:
        manifest = json.loads(content)
        rest = {name: value for name, value in manifest.items() if name != "sha256"}
        whole = _sealed(rest) == content
    except (ValueError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise _damaged(path, "was changed, or is not a manifest")
    if rest.keys() != {"format", "files"} or rest["format"] != FORMAT:
        raise _damaged(path, f"is not of format {FORMAT}")
    files = rest["files"]
    if not isinstance(files, dict) or not all(_is_plain(name) and _is_entry(files[name]) for name in files):
        raise _damaged(path, "does not list files of its folder with their sizes and digests")
    return manifest


def read_verified(folder: Path, name: str, manifest: Mapping[str, Any], *, links: bool = False) -> bytes:
    """Read a file and return its bytes if they match the manifest.

    Args:
        folder: the folder of the file.
        name: name of the file.
        manifest: the result of `read_manifest`.
        links: whether a link to a regular file is followed; its content is verified in the same way.

    Raises:
        DamagedError: the file is missing, is not a regular file, is not listed in the manifest, or was changed.
    """
    path, entry = folder / name, manifest["files"].get(name)
    if entry is None:
        raise _damaged(path, f"is not named in {MANIFEST}")
    content = read_file(folder, name, exactly=entry["bytes"], links=links)
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise _damaged(path, f"is not the file that {MANIFEST} names: the digests differ")
    return content


def verify(folder: Path) -> dict[str, bytes]:
    """Read and verify all files of a manifest, and return their bytes by name.

    Raises:
        DamagedError: the manifest or a file is missing or was changed.
    """
    manifest = read_manifest(folder)
    return {name: read_verified(folder, name, manifest) for name in manifest["files"]}


def read_file(
    folder: Path, name: str, *, exactly: int | None = None, most: int | None = None, links: bool = False
) -> bytes:
    """Read a regular file of a folder; refuse pipes, which may never end, and links, which may lead anywhere.

    Args:
        folder: the folder of the file.
        name: name of the file.
        exactly: required number of bytes; None for any number.
        most: largest number of bytes; None for any number.
        links: whether a link to a regular file is followed, as in a cache of the hub.

    Raises:
        DamagedError: the file is missing, is not a regular file, has another size, or cannot be read.
    """
    path = folder / name
    try:
        status = path.stat() if links else path.lstat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a link" if stat.S_ISLNK(status.st_mode) else "not a regular file"
            raise _damaged(path, f"is {kind}, but must be a file of its own")
        if exactly is not None and status.st_size != exactly:
            raise _damaged(path, f"has {status.st_size} bytes, but {MANIFEST} lists {exactly}")
        if most is not None and status.st_size > most:
            raise _damaged(path, f"has {status.st_size} bytes, but at most {most} are allowed")
        return path.read_bytes()
    except FileNotFoundError:
        raise _damaged(path, "is missing") from None
    except OSError as error:
        raise _damaged(path, f"cannot be read ({error.strerror})") from None


def _sealed(rest: Mapping[str, Any]) -> bytes:
    return _canonical({**rest, "sha256": hashlib.sha256(_canonical(rest)).hexdigest()})


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..", MANIFEST) and not set(name) & set("/\\:\0")


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"bytes", "sha256"}
        and type(entry["bytes"]) is int
        and isinstance(entry["sha256"], str)
        and DIGEST.fullmatch(entry["sha256"]) is not None
    )


def _damaged(path: Path, reason: str) -> DamagedError:
    return DamagedError(f"{path} {reason}; restore the folder from its source")
