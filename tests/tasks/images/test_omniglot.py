"""Omniglot: the three forms of its files give the same characters, and invalid files are refused."""

import dataclasses
import io
import json
import struct
import zipfile
import zlib

import numpy
import pytest
import torch

from memtape.tasks.data_folder import DataError, examples_of
from memtape.tasks.images import omniglot
from memtape.tasks.images.alphabet import reduced
from memtape.tasks.images.few_shot import FewShot

NAMES = {
    "images_background": ["Greek/character01", "Greek/character02", "Latin/character01"],
    "images_evaluation": ["Ge_ez/character01", "Tengwar/character02"],
}
"""Of the names of all characters, those of the evaluation are not the last."""
DRAWERS = 20
FORMS = ("packed", "folders", "archives")


def ink_of(part, number):
    """Return the images of a character, of which each drawer draws another one."""
    return numpy.random.default_rng([len(part), number]).random((DRAWERS, 105, 105)) < 0.1


def png_of(ink):
    """Return a PNG file of one bit per pixel, black where there is ink."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows, columns = ink.shape
    lines = b"".join(b"\0" + numpy.packbits(row).tobytes() for row in ~ink)
    header = struct.pack(">IIBBBBB", columns, rows, 1, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def write(folder, form):
    folder.mkdir()
    for part, names in NAMES.items():
        files = {
            f"{part}/{name}/{number:02}{drawer:02}.png": png_of(image)
            for number, name in enumerate(names)
            for drawer, image in enumerate(ink_of(part, number))
        }
        if form == "packed":
            ink = numpy.concatenate([ink_of(part, number) for number in range(len(names))])
            order = numpy.arange(len(ink)).reshape(len(names), -1).T.flatten()  # drawer by drawer
            bits = numpy.packbits(ink.reshape(len(ink), -1), axis=1)[order]
            numpy.savez_compressed(folder / part, bits=bits, label=(order // DRAWERS).astype(numpy.int16))
            (folder / f"{part}_classes.json").write_text(json.dumps(names))
        elif form == "folders":
            for name, content in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        else:
            with zipfile.ZipFile(folder / f"{part}.zip", "w") as archive:
                for name, content in reversed(files.items()):
                    archive.writestr(name, content)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let Omniglot have five characters."""
    counts = {f"{part}{form}": len(names) for part, names in NAMES.items() for form in (".zip", ".npz", "")}
    monkeypatch.setattr(omniglot, "OMNIGLOT", dataclasses.replace(omniglot.OMNIGLOT, counts=counts))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Write the characters in every form, and return the data folder of each."""
    folders = {form: tmp_path_factory.mktemp(form) for form in FORMS}
    for form, folder in folders.items():
        write(folder / "omniglot", form)
    return folders


@pytest.fixture
def folder(tmp_path, request):
    """Write the characters in the form that a test names, to be damaged."""
    write(tmp_path / "omniglot", request.param)
    return tmp_path / "omniglot"


@pytest.mark.parametrize("form", FORMS)
def test_characters_are_read_in_the_order_of_their_names(written, form):
    images = omniglot.read(str(written[form])).images
    places = [(name, part, number) for part, names in NAMES.items() for number, name in enumerate(names)]
    expected = [reduced(torch.from_numpy(ink_of(part, number))) for _, part, number in sorted(places)]
    assert torch.equal(images, torch.stack(expected))


def test_of_an_archive_and_its_folder_the_folder_is_read(written, tmp_path):
    for form in ("folders", "archives"):
        for file in (written[form] / "omniglot").iterdir():
            (tmp_path / "omniglot").mkdir(exist_ok=True)
            (tmp_path / "omniglot" / file.name).symlink_to(file)
    for archive in (tmp_path / "omniglot").glob("*.zip"):
        archive.unlink()
        archive.write_bytes(b"damaged")
    assert len(omniglot.read(str(tmp_path)).images) == 5


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("packed", [f"images_{part}" for part in ("background.npz", "background_classes.json", "evaluation.npz")]),
        ("folders", ["images_background", "images_evaluation"]),
        ("archives", ["images_background.zip", "images_evaluation.zip"]),
    ],
)
def test_the_files_are_recorded(written, form, names):
    _, record = examples_of(str(written[form]), omniglot.OMNIGLOT, read=omniglot.read, otherwise=list, name="none")
    assert [file.name for file in record.files][: len(names)] == [f"omniglot/{name}" for name in names]
    assert record.badge == "data: Omniglot"


def test_another_byte_or_name_of_an_image_is_other_data(tmp_path):
    write(tmp_path / "omniglot", "folders")
    image = tmp_path / "omniglot" / PNG

    def digest():
        return (
            examples_of(str(tmp_path), omniglot.OMNIGLOT, read=omniglot.read, otherwise=list, name="")[1]
            .files[0]
            .sha256
        )

    first = digest()
    assert digest() == first
    image.rename(image.with_name("0199.png"))
    assert digest() != first
    image.with_name("0199.png").rename(image)
    image.write_bytes(png_of(numpy.zeros((105, 105), bool)))
    assert digest() != first


def replaced(file, name, content):
    """Replace a member of an archive."""
    with zipfile.ZipFile(file) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for one, kept in (members | {name: content}).items():
            if one != name or content is not None:
                archive.writestr(one, kept)


def npy(array):
    buffer = io.BytesIO()
    numpy.save(buffer, array)
    return buffer.getvalue()


PNG = "images_background/Greek/character02/0103.png"
WIDE = numpy.zeros((60, 1379), numpy.uint8)
DAMAGES = {
    "archive: another file": (
        "archives",
        lambda f: (f / "images_background.zip").write_bytes(b"PK"),
        "images_background.zip cannot be read",
    ),
    "archive: a changed byte": (
        "archives",
        lambda f: flip(f / "images_evaluation.zip"),
        "images_evaluation.zip cannot be read",
    ),
    "archive: a missing image": (
        "archives",
        lambda f: replaced(f / "images_background.zip", PNG, None),
        "has 19 images of Greek/character02, but each character of Omniglot has 20",
    ),
    "archive: a damaged image": (
        "archives",
        lambda f: replaced(f / "images_background.zip", PNG, b"x"),
        "images_background.zip/images_background/Greek/character02/0103.png is not a PNG file that can be read",
    ),
    "archive: a small image": (
        "archives",
        lambda f: replaced(f / "images_background.zip", PNG, png_of(numpy.zeros((28, 28), bool))),
        "0103.png has 28 x 28 pixels, but must have 105 x 105",
    ),
    "folder: a missing character": (
        "folders",
        lambda f: [file.unlink() for file in (f / "images_evaluation/Ge_ez/character01").iterdir()],
        "images_evaluation has 1 characters, but that of Omniglot has 2",
    ),
    "folder: an empty image": (
        "folders",
        lambda f: (f / PNG).write_bytes(b""),
        "0103.png is empty",
    ),
    "packed: no array": (
        "packed",
        lambda f: replaced(f / "images_background.npz", "label.npy", None),
        "images_background.npz has no label.npy",
    ),
    "packed: an object": (
        "packed",
        lambda f: replaced(f / "images_background.npz", "label.npy", npy(numpy.array([None] * 60))),
        "images_background.npz cannot be read .*pickle",
    ),
    "packed: wide images": (
        "packed",
        lambda f: replaced(f / "images_background.npz", "bits.npy", npy(WIDE[:, 1:])),
        r"has bits of shape \(60, 1378\) and labels of shape \(60,\), but not",
    ),
    "packed: an unknown label": (
        "packed",
        lambda f: replaced(f / "images_background.npz", "label.npy", npy(numpy.arange(60) // 15)),
        r"has the labels 0\.\.3, but images_background_classes\.json has 3 names",
    ),
    "packed: unequal numbers": (
        "packed",
        lambda f: replaced(f / "images_background.npz", "label.npy", npy(numpy.arange(60) // 21)),
        "has 21 images of Greek/character01, but each",
    ),
    "names: no JSON": (
        "packed",
        lambda f: (f / "images_background_classes.json").write_text("[1"),
        r"images_background_classes\.json is not JSON",
    ),
    "names: no list": (
        "packed",
        lambda f: (f / "images_background_classes.json").write_text('{"a": 1}'),
        r"images_background_classes\.json is not a list of names",
    ),
    "names: too few": (
        "packed",
        lambda f: (f / "images_evaluation_classes.json").write_text('["A/a"]'),
        r"has the labels 0\.\.1, but images_evaluation_classes\.json has 1 names",
    ),
}


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("folder", "damage"), [(form, name) for name, (form, _, _) in DAMAGES.items()], indirect=["folder"], ids=DAMAGES
)
def test_an_invalid_file_is_refused(folder, damage):
    _, spoil, message = DAMAGES[damage]
    spoil(folder)
    with pytest.raises(DataError, match=message) as caught:
        FewShot(data_dir=str(folder.parent))
    assert str(caught.value).endswith("; get it again from the repository brendenlake/omniglot on GitHub")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("folder", ["archives"], indirect=True)
def test_an_archive_above_the_size_limit_is_refused(folder, monkeypatch):
    monkeypatch.setattr(omniglot, "LARGEST", 1000)
    with pytest.raises(DataError, match=r"images_background\.zip has more than 1000 bytes"):
        omniglot.read(str(folder.parent))


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(
        DataError, match=r"there is no .*omniglot/images_background\.zip, which Omniglot needs; get it from"
    ):
        FewShot(data_dir=str(tmp_path))


@pytest.mark.parametrize("folder", ["packed"], indirect=True)
def test_missing_names_are_reported(folder):
    (folder / "images_background_classes.json").unlink()
    with pytest.raises(DataError, match=r"there is no .*images_background_classes\.json, which Omniglot needs"):
        omniglot.read(str(folder.parent))


def test_a_held_pixel_is_the_mean_of_5_x_5_pixels():
    ink = torch.rand(2, 105, 105, generator=torch.Generator().manual_seed(0)) < 0.3
    held = reduced(ink)
    for row, column in ((0, 0), (3, 7), (34, 34), (0, 20)):
        window = [
            ink[1, y, x].item() if 0 <= y < 105 and 0 <= x < 105 else 0
            for y in range(3 * row - 1, 3 * row + 4)
            for x in range(3 * column - 1, 3 * column + 4)
        ]
        assert held[1, row, column] == round(255 * sum(window) / 25)
