"""Omniglot: read its characters from the official archives, from the folders in them, or from packed arrays."""

import json
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy
import torch
from jaxtyping import UInt8
from numpy.lib.format import read_array
from torch import Tensor

from memtape.tasks.data_folder import LARGEST, DataError, DataSet
from memtape.tasks.images.alphabet import PIXELS, Alphabet, reduced
from memtape.tasks.images.png import greys_of

DRAWERS = 20
"""Number of images of each character."""

CHARACTERS = {"images_background": 964, "images_evaluation": 659}
"""The two parts of the data set, and the number of characters of each."""

OMNIGLOT = DataSet(
    name="Omniglot",
    folder="omniglot",
    source="the repository brendenlake/omniglot on GitHub",
    counts={f"{part}{form}": count for part, count in CHARACTERS.items() for form in (".zip", ".npz", "")},
)

WHITE = 128
"""Greys below this are ink."""

Drawn = dict[str, UInt8[Tensor, "drawers side side"]]
"""The images of each character, by the name of its alphabet and its own."""


UNREADABLE = (ValueError, zipfile.BadZipFile, zlib.error, EOFError, MemoryError, NotImplementedError, RuntimeError)
"""What the reader of an archive raises if it is damaged."""


def read(data_dir: str) -> Alphabet:
    """Read all characters, in the order of their names.

    Each part is read from the first of these that exists: `images_background.npz` with `images_background_classes.json`, the
    folder `images_background`, or `images_background.zip`, which has this folder inside.

    Raises:
        DataError: a file is missing or invalid.
    """
    drawn: Drawn = {}
    for part in CHARACTERS:
        drawn |= _part(data_dir, part)
    return Alphabet(torch.stack([drawn[name] for name in sorted(drawn)]))


def _part(data_dir: str, part: str) -> Drawn:
    path = OMNIGLOT.path(data_dir, f"{part}.npz")
    if path.exists():
        drawn = _packed(data_dir, part)
    elif (path := OMNIGLOT.path(data_dir, part)).is_dir():
        drawn = _from_images(path, _files(data_dir, part))
    else:
        path = OMNIGLOT.path(data_dir, f"{part}.zip")
        drawn = _from_images(path, _members(path, OMNIGLOT.content(data_dir, path.name), ".png"))
    OMNIGLOT.check_count(path, len(drawn), "characters")
    for name, images in drawn.items():
        if len(images) != DRAWERS:
            raise OMNIGLOT.damaged(
                path, f"has {len(images)} images of {name}, but each character of Omniglot has {DRAWERS}"
            )
    return drawn


def _packed(data_dir: str, part: str) -> Drawn:
    """Read arrays: the ink of each image in bits, and the number of its character in the list of names."""
    path = OMNIGLOT.path(data_dir, f"{part}.npz")
    arrays = _members(path, OMNIGLOT.content(data_dir, path.name), ".npy")
    names_file = f"{part}_classes.json"
    try:
        names = json.loads(OMNIGLOT.text(data_dir, names_file))
    except (json.JSONDecodeError, RecursionError) as error:
        raise OMNIGLOT.damaged(OMNIGLOT.path(data_dir, names_file), f"is not JSON ({error})") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise OMNIGLOT.damaged(OMNIGLOT.path(data_dir, names_file), "is not a list of names")
    try:
        bits, label = (read_array(BytesIO(arrays[f"{name}.npy"]), allow_pickle=False) for name in ("bits", "label"))
    except KeyError as error:
        raise OMNIGLOT.damaged(path, f"has no {error.args[0]}") from None
    except UNREADABLE as error:
        raise OMNIGLOT.damaged(path, f"cannot be read ({error})") from None
    wanted = (len(label) if label.ndim else 0, -(-PIXELS * PIXELS // 8))
    if bits.dtype != numpy.uint8 or bits.shape != wanted or label.dtype.kind not in "iu" or label.ndim != 1:
        raise OMNIGLOT.damaged(
            path, f"has bits of shape {bits.shape} and labels of shape {label.shape}, but not {wanted}"
        )
    if len(label) and not 0 <= label.min() <= label.max() < len(names):
        raise OMNIGLOT.damaged(
            path, f"has the labels {label.min()}..{label.max()}, but {names_file} has {len(names)} names"
        )
    return {name: reduced(_ink(bits[label == number])) for number, name in enumerate(names)}


def _ink(bits: numpy.ndarray) -> Tensor:
    return torch.from_numpy(numpy.unpackbits(bits, axis=1, count=PIXELS * PIXELS)).unflatten(1, (PIXELS, PIXELS)).bool()


def _files(data_dir: str, part: str) -> dict[str, bytes]:
    """Return the contents of the images of a folder, by their paths inside it."""
    folder = OMNIGLOT.path(data_dir, part)
    names = sorted(file.relative_to(folder.parent).as_posix() for file in folder.glob("*/*/*.png"))
    return dict(zip(names, OMNIGLOT.contents(data_dir, names, part), strict=True))


def _members(path: Path, content: bytes, ending: str) -> dict[str, bytes]:
    """Return the contents of the files of an archive whose names have an ending."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = [one for one in archive.infolist() if one.filename.endswith(ending)]
            if sum(one.file_size for one in members) > LARGEST:
                raise OMNIGLOT.damaged(path, f"has more than {LARGEST} bytes")
            return {one.filename: archive.read(one) for one in members}
    except DataError:
        raise
    except UNREADABLE as error:
        raise OMNIGLOT.damaged(path, f"cannot be read ({error})") from None


def _from_images(path: Path, files: Mapping[str, bytes]) -> Drawn:
    """Return the images of each character; the last two folders of a path name the alphabet and the character."""
    images: dict[str, list[Tensor]] = defaultdict(list)
    for name in sorted(files):
        alphabet, character = PurePosixPath(name).parts[-3:-1] if name.count("/") >= 2 else ("", name)
        try:
            greys = greys_of(files[name], (PIXELS, PIXELS))
        except ValueError as error:
            raise OMNIGLOT.damaged(path / name, str(error)) from None
        images[f"{alphabet}/{character}"].append(greys < WHITE)
    return {name: reduced(torch.stack(of_character)) for name, of_character in images.items()}
