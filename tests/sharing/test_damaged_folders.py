"""Damaged folders: every change of a loaded file is detected and named."""

import os
import random
import shutil
from pathlib import Path

import pytest

import memtape
from memtape.core.manifest import DamagedError, write_manifest

INPUT, OUTPUT = 3, 2
TINY = {"slots": 4, "width": 3, "controller_size": 5}


@pytest.mark.parametrize("name", ["config.json", "manifest.json", "model.safetensors"])
def test_every_flipped_bit_is_detected(folder, name):
    whole = (folder / name).read_bytes()
    places = random.Random(name).sample(range(8 * len(whole)), k=400)
    missed = []
    with (folder / name).open("r+b", buffering=0) as file:
        for place in places:
            os.pwrite(file.fileno(), bytes([whole[place // 8] ^ 1 << place % 8]), place // 8)
            try:
                memtape.NTM.from_pretrained(folder)
                missed.append(place)
            except DamagedError as error:
                missed += [] if name in str(error) else [place]
            os.pwrite(file.fileno(), whole[place // 8 : place // 8 + 1], place // 8)
    assert not missed


@pytest.mark.parametrize("name", ["config.json", "manifest.json", "model.safetensors"])
@pytest.mark.parametrize("kept", [0, 1, 8, 100, -1])
def test_a_truncated_file_is_named(folder, name, kept, refused):
    path = folder / name
    path.write_bytes(path.read_bytes()[:kept])
    refused(folder, name, error=DamagedError)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name, refused):
    (folder / name).unlink()
    refused(folder, f"{name} is missing; restore the folder", error=DamagedError)


def test_weights_of_another_network_are_detected(folder, tmp_path, refused):
    memtape.NTM(INPUT, OUTPUT, **TINY).save_pretrained(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", folder)
    refused(folder, "model.safetensors is not the file that manifest.json names", error=DamagedError)


def test_a_manifest_that_leaves_a_file_out_is_refused(folder, refused):
    write_manifest(folder, ["config.json"])
    refused(folder, "model.safetensors is not named in manifest.json", error=DamagedError)


def as_in_a_cache(folder):
    """Replace the files of a folder by links to files with other names, as in the cache of the hub."""
    blobs = folder.parent / "blobs"
    blobs.mkdir()
    for number, path in enumerate(sorted(folder.iterdir())):
        path.rename(blobs / str(number))
        path.symlink_to(Path("..") / "blobs" / str(number))


def test_a_folder_of_links_is_read_if_a_manifest_verifies_it(folder, ntm, same):
    as_in_a_cache(folder)
    same(ntm, memtape.NTM.from_pretrained(folder))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_linked_file_is_verified_too(folder, name, refused):
    as_in_a_cache(folder)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused(folder, f"{name} is not the file that manifest.json names", error=DamagedError)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "manifest.json"])
@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("/dev/zero", "is not a regular file, but must be"),
        ("..", "is not a regular file, but must be"),
        ("pipe", "is not a regular file, but must be"),
        ("nothing", "is missing"),
        ("/etc/passwd", "; restore the folder from its source"),
    ],
)
def test_a_link_to_anything_but_the_file_is_refused(folder, name, target, sentence, refused):
    os.mkfifo(folder / "pipe")
    (folder / name).unlink()
    (folder / name).symlink_to(target)
    refused(folder, sentence, error=DamagedError)


def test_a_link_to_itself_is_refused(folder, refused):
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("config.json")
    refused(folder, "config.json cannot be read (Too many levels of symbolic links)", error=DamagedError)


def test_a_link_out_of_the_folder_is_not_followed(bare, refused):
    os.rename(bare / "model.safetensors", bare.parent / "elsewhere")
    (bare / "model.safetensors").symlink_to(bare.parent / "elsewhere")
    refused(bare, "model.safetensors is a link, but must be a file of its own", error=DamagedError)


@pytest.mark.parametrize("kept", [0, 4, 20, -1])
def test_truncated_weights_are_refused_also_without_a_manifest(bare, kept, refused):
    path = bare / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    refused(bare, "model.safetensors is not a valid safetensors file", error=DamagedError)
