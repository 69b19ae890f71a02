"""Shared folder: a network as files that execute nothing when they are read.

model.safetensors  parameters and buffers
config.json        the class, the arguments of its constructor, the version of memtape
README.md          the model card
figure.png         a figure, if there is one
vocabulary.json    the meaning of each symbol that it reads, if it was trained on symbols
manifest.json      sizes and digests of the first two; the other files may be edited
"""

import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

from safetensors.torch import save
from torch import Tensor

from memtape.core.atomic_write import write_atomically
from memtape.core.errors import RequestError
from memtape.core.manifest import MANIFEST, read_file, read_manifest, read_verified, write_manifest
from memtape.core.tensor_file import tensors_of
from memtape.version import __version__

WEIGHTS, CONFIG, CARD, FIGURE = "model.safetensors", "config.json", "README.md", "figure.png"
VOCABULARY = "vocabulary.json"
LOADED = (CONFIG, WEIGHTS, MANIFEST)
"""All files that loading reads."""

FORMAT = 1
KEYS = {"format", "memtape", "model", "arguments"}

LARGEST_CONFIG = 2**20
"""Bytes."""

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


class SharingError(RequestError):
    """A network that cannot be saved, loaded or pushed; the message states the reason and the cure."""


@dataclass(frozen=True)
class Contents:
    """The contents of a shared folder."""

    model: str
    arguments: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def write_folder(
    folder: Path, contents: Contents, *, card: str, figure: bytes | None, symbols: Sequence[str] | None = None
) -> None:
    """Write all files, the manifest last; the files of a previously shared network are replaced.

    Raises:
        SharingError: the folder cannot be written, has a foreign file of the same name, or another process writes it.
    """
    config = {
        "format": FORMAT,
        "memtape": __version__,
        "model": contents.model,
        "arguments": dict(contents.arguments),
    }
    files = {
        WEIGHTS: save({name: tensor.detach().cpu().contiguous() for name, tensor in contents.tensors.items()}),
        CONFIG: (json.dumps(config, indent=2, allow_nan=False) + "\n").encode(),
        CARD: card.encode(),
        FIGURE: figure,
        VOCABULARY: None if symbols is None else (json.dumps(list(symbols), indent=2) + "\n").encode(),
    }
    try:
        with _alone_in(folder):
            _replace_files(folder, files)
    except OSError as error:
        raise SharingError(
            f"{folder} cannot be written ({error.strerror}); give a place that you can write to"
        ) from None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Lock a folder, created if it does not exist; the lock needs no file.

    Raises:
        SharingError: another process writes into the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SharingError(
            f"another process is saving a network in {folder}; wait for its end, or give another folder"
        ) from None
    finally:
        os.close(handle)


def _replace_files(folder: Path, files: Mapping[str, bytes | None]) -> None:
    strange = [] if os.path.lexists(folder / MANIFEST) else [name for name in files if os.path.lexists(folder / name)]
    if strange:
        raise SharingError(
            f"{folder} has a {strange[0]} but no {MANIFEST}, so that file is not replaced; give another folder or remove it"
        )
    for name in (MANIFEST, *files):
        (folder / name).unlink(missing_ok=True)
    for name, content in files.items():
        if content is not None:
            write_atomically(folder / name, content)
    write_manifest(folder, (CONFIG, WEIGHTS))


def read_folder(folder: Path) -> Contents:
    """Read a network's class, arguments and tensors, each file once.

    Files that a manifest verifies may be links, as in the cache of the hub; without a manifest links are refused.

    Args:
        folder: the folder.

    Raises:
        DamagedError: a file is missing, differs from the manifest of the folder, or has no tensors.
        SharingError: the configuration is not that of a network, or the weights are in pickle files only.
    """
    if not os.path.lexists(folder / WEIGHTS):
        _refuse_pickles(folder)
    if os.path.lexists(folder / MANIFEST):
        manifest = read_manifest(folder, links=True)
        config = read_verified(folder, CONFIG, manifest, links=True)
        weights = read_verified(folder, WEIGHTS, manifest, links=True)
    else:
        config = read_file(folder, CONFIG, most=LARGEST_CONFIG)
        weights = read_file(folder, WEIGHTS)
    values = _configuration(folder / CONFIG, config)
    return Contents(values["model"], values["arguments"], tensors_of(folder / WEIGHTS, weights))


def _refuse_pickles(folder: Path) -> None:
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise SharingError(
            f"{folder} has its weights in {shortened(pickles[0])}, but that is a pickle file, which can run any code when "
            "it is loaded and is never opened; convert it to safetensors where you trust it, and share that"
        )


def _configuration(path: Path, content: bytes) -> dict[str, Any]:
    """Return the contents of a config.json.

    Raises:
        SharingError: it is too large, not JSON, or not of a network of this library.
    """
    try:
        if len(content) > LARGEST_CONFIG:
            raise ValueError(f"it has {len(content)} bytes of at most {LARGEST_CONFIG}")
        values = json.loads(content, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise SharingError(f"{path} cannot be read as JSON ({_first_words(error)}); share the network again") from None
    if not isinstance(values, dict) or values.keys() != KEYS or values["format"] != FORMAT:
        raise SharingError(
            f"{path} is not the configuration of a network of memtape, which has {', '.join(sorted(KEYS))} and format "
            f"{FORMAT}; give a folder that save_pretrained wrote, by this version of memtape or an older one"
        )
    if not isinstance(values["model"], str) or not isinstance(values["arguments"], dict):
        raise SharingError(
            f"{path} must name a model and its arguments, but names something else; share the network again"
        )
    return values


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not finite")
    return number


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name occurs twice")
    return values


def _first_words(error: Exception) -> str:
    """Return the message of an error in one line, limited in length."""
    return " ".join(str(error)[:100].split())
