"""Manifest: the size and SHA-256 of every file of a folder, so that a single wrong bit is noticed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

NAME = "manifest.json"
LARGEST = 2**20
"""Bytes of the largest manifest that is read."""


class DamagedError(ValueError):
    """A folder whose files are not those of its manifest; the sentence names the file."""


def write_manifest(folder: Path, names: Iterable[str]) -> None:
    """Write the manifest of files that are there already.

    Args:
        folder: where the files are, and where `manifest.json` goes.
        names: their names.
    """
    files = {name: _entry((folder / name).read_bytes()) for name in sorted(names)}
    (folder / NAME).write_bytes(_canonical({"format": 1, "files": files}))


def verify(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files of a folder, each read once, after its check.

    Raises:
        DamagedError: a file is missing, is too much, or has other contents than the manifest says.
    """
    manifest = read_manifest(folder)
    for path in folder.iterdir():
        if path.name != NAME and path.name not in manifest:
            raise DamagedError(f"{path} is not in the manifest of its folder; remove it")
    return {name: read_verified(folder, name, manifest) for name in manifest}


def read_manifest(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the size and hash of every file by its name.

    Raises:
        DamagedError: there is no manifest, or it is damaged.
    """
    path = folder / NAME
    content = _read(path, LARGEST)
    try:
        manifest = json.loads(content)
        files = manifest["files"]
        sound = content == _canonical({"format": manifest["format"], "files": files}) and manifest["format"] == 1
        sound = sound and all(set(entry) == {"bytes", "sha256"} for entry in files.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise DamagedError(f"{path} is damaged: it is not what was written; restore it from a copy")
    for name in files:
        if name in {"", ".", ".."} or "/" in name or "\\" in name:
            raise DamagedError(
                f"{path} names {name!r}, which is no file of its folder; take the folder from its source"
            )
    return dict(files)


def read_verified(folder: Path, name: str, manifest: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return the contents of one file after its check.

    Raises:
        DamagedError: it is missing, or has other contents than the manifest says.
    """
    path, entry = folder / name, manifest[name]
    content = _read(path, entry["bytes"])
    if _entry(content) != entry:
        raise DamagedError(f"{path} is damaged: its SHA-256 is not that of the manifest; restore it from a copy")
    return content


def _read(path: Path, most: int) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise DamagedError(f"{path} is missing; restore it from a copy")
    size = path.stat().st_size
    if size > most:
        raise DamagedError(
            f"{path} is damaged: it has {size} bytes, more than the {most} there may be; restore it from a copy"
        )
    return path.read_bytes()


def _entry(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _canonical(manifest: dict[str, Any]) -> bytes:
    """Return the one spelling of a manifest, which ends with the hash of the rest."""
    rest = json.dumps(manifest, sort_keys=True)
    digest = hashlib.sha256(rest.encode()).hexdigest()
    return (json.dumps({**manifest, "sha256": digest}, indent=2, sort_keys=True) + "\n").encode()
