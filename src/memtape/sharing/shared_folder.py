"""Shared folder: a network as files that anyone can read, and that run nothing when they are read.

model.safetensors  parameters and buffers
config.json        the class, the arguments of its constructor, the version of memtape
README.md          the card, for people
figure.png         its picture, if there is one
vocabulary.json    what the symbols stand for that it reads, if it was trained on symbols; for people too
manifest.json      sizes and digests of the first two; the rest may be edited
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
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
"""All files that loading looks at."""

FORMAT = 1
KEYS = {"format", "memtape", "model", "arguments"}

LARGEST_CONFIG = 2**20
"""Bytes."""

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


class SharingError(RequestError):
    """A network that cannot be saved to, loaded from or pushed to a place; the sentence says why and what to do."""


@dataclass(frozen=True)
class Contents:
    """What a shared folder holds."""

    model: str
    arguments: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def write_folder(
    folder: Path, contents: Contents, *, card: str, figure: bytes | None, symbols: Sequence[str] | None = None
) -> None:
    """Write all files, the manifest last; those of a folder that was shared before are replaced.

    Raises:
        SharingError: the folder cannot be written, or has a file of such a name that is not of a shared network.
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
    strange = [] if os.path.lexists(folder / MANIFEST) else [name for name in files if os.path.lexists(folder / name)]
    if strange:
        raise SharingError(
            f"{folder} has a {strange[0]} but no {MANIFEST}, so that file is not replaced; give another folder or remove it"
        )
    try:
        for name in (MANIFEST, *files):
            (folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            if content is not None:
                write_atomically(folder / name, content)
        write_manifest(folder, (CONFIG, WEIGHTS))
    except OSError as error:
        raise SharingError(
            f"{folder} cannot be written ({error.strerror}); give a place that you can write to"
        ) from None


def read_folder(folder: Path) -> Contents:
    """Read a network's class, arguments and tensors, each file once, and nothing else.

    Raises:
        DamagedError: a file that is missing, is not what the folder's manifest says, or holds no tensors.
        SharingError: a configuration of something else, or weights in pickle files only.
    """
    if not os.path.lexists(folder / WEIGHTS):
        _refuse_pickles(folder)
    if os.path.lexists(folder / MANIFEST):
        manifest = read_manifest(folder)
        config = read_verified(folder, CONFIG, manifest)
        weights = read_verified(folder, WEIGHTS, manifest)
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
            "it is loaded and is never opened here; convert it to safetensors where you trust it, and share that"
        )


def _configuration(path: Path, content: bytes) -> dict[str, Any]:
    """Return what a config.json holds.

    Raises:
        SharingError: it is too large, no JSON, or not of a network of this library.
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
        raise ValueError("a name stands there twice")
    return values


def _first_words(error: Exception) -> str:
    """Return the message of an error in one line, without what a file could make long."""
    return " ".join(str(error)[:100].split())
