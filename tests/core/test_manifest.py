"""The manifest of a folder: every change is detected and named."""

import hashlib
import json
import os
import re

import pytest

from memtape.core import manifest
from memtape.core.manifest import DamagedError, read_manifest, read_verified, verify, write_manifest

FILES = {"a.bin": bytes(range(40)), "b.json": b'{"x": 1}\n', "empty": b""}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    write_manifest(tmp_path, FILES)
    return tmp_path


def sealed(rest):
    """Return a manifest with a correct digest, written by an independent implementation of the format."""
    form = {"sort_keys": True, "separators": (",", ":")}
    digest = hashlib.sha256(json.dumps(rest, **form).encode()).hexdigest()
    return json.dumps({**rest, "sha256": digest}, **form).encode()


def refused(folder, name, reason):
    """Check that the folder is refused in one sentence that names the file and the reason."""
    with pytest.raises(DamagedError, match=re.escape(f"{folder / name} {reason}")) as error:
        verify(folder)
    assert str(error.value).endswith("; restore the folder from its source")


def accepted(folder):
    """Return whether a folder is read without an error."""
    try:
        verify(folder)
    except DamagedError:
        return False
    return True


def test_a_manifest_is_written_completely_or_not_at_all(tmp_path, monkeypatch):
    """The file marks a finished run; an empty file would make it impossible to resume the run."""
    (tmp_path / "a").touch()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_manifest(tmp_path, ["a"])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_written_manifest_is_read(folder):
    assert verify(folder) == FILES


def test_the_format_is_the_documented_one(folder):
    files = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in FILES.items()
    }
    assert (folder / "manifest.json").read_bytes() == sealed({"format": 1, "files": files})


def test_the_order_of_names_does_not_matter(folder):
    first = (folder / "manifest.json").read_bytes()
    write_manifest(folder, reversed(list(FILES)))
    assert (folder / "manifest.json").read_bytes() == first


def test_every_flipped_bit_is_detected(folder):
    missed, tried = [], 0
    for name in ("manifest.json", "a.bin", "b.json"):
        whole = (folder / name).read_bytes()
        with (folder / name).open("r+b", buffering=0) as file:
            for place in range(8 * len(whole)):
                os.pwrite(file.fileno(), bytes([whole[place // 8] ^ 1 << place % 8]), place // 8)
                missed += [(name, place)] if accepted(folder) else []
                os.pwrite(file.fileno(), whole[place // 8 : place // 8 + 1], place // 8)
                tried += 1
    assert tried > 2000
    assert not missed
    assert verify(folder) == FILES


@pytest.mark.parametrize("name", ["manifest.json", "a.bin", "b.json"])
def test_every_truncation_is_detected(folder, name):
    whole = (folder / name).read_bytes()
    for kept in range(len(whole)):
        (folder / name).write_bytes(whole[:kept])
        with pytest.raises(DamagedError, match=re.escape(name)):
            verify(folder)


def test_a_missing_file_is_named(folder):
    (folder / "b.json").unlink()
    refused(folder, "b.json", "is missing")


def test_a_missing_manifest_is_named(folder):
    (folder / "manifest.json").unlink()
    refused(folder, "manifest.json", "is missing")


def test_swapped_files_are_named(folder):
    (folder / "a.bin").write_bytes(bytes(reversed(FILES["a.bin"])))
    refused(folder, "a.bin", "is not the file that manifest.json names: the digests differ")


def test_a_longer_file_is_named_before_it_is_read(folder, monkeypatch):
    (folder / "a.bin").write_bytes(FILES["a.bin"] + b"!")
    manifest_of_it = read_manifest(folder)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(DamagedError, match=r"a\.bin has 41 bytes, but manifest\.json lists 40"):
        read_verified(folder, "a.bin", manifest_of_it)


def test_a_file_missing_from_the_manifest_is_refused(folder):
    (folder / "other").write_bytes(b"")
    with pytest.raises(DamagedError, match=r"other is not named in manifest\.json"):
        read_verified(folder, "other", read_manifest(folder))


def test_each_file_is_opened_once(folder, monkeypatch):
    opened = []
    whole = manifest.Path.read_bytes
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda path: opened.append(path.name) or whole(path))
    assert verify(folder) == FILES
    assert sorted(opened) == sorted([*FILES, "manifest.json"])


@pytest.mark.parametrize("name", ["a.bin", "manifest.json"])
def test_a_link_is_not_followed(folder, tmp_path_factory, name):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "file"
    elsewhere.write_bytes((folder / name).read_bytes())
    (folder / name).unlink()
    (folder / name).symlink_to(elsewhere)
    refused(folder, name, "is a link, but must be a file of its own")


def test_a_pipe_is_not_waited_for(folder):
    (folder / "a.bin").unlink()
    os.mkfifo(folder / "a.bin")
    refused(folder, "a.bin", "is not a regular file, but must be a file of its own")


def test_added_white_space_is_detected(folder):
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")
    refused(folder, "manifest.json", "was changed, or is not a manifest")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b"9" * 100_000,
        b'{"files":{},"format":NaN,"sha256":""}',
        b'{"files":{},"files":{},"format":1,"sha256":""}',
    ],
    ids=lambda content: repr(content[:12]),
)
def test_an_invalid_manifest_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    refused(folder, "manifest.json", "was changed, or is not a manifest")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_invalid_numbers_are_refused_with_a_correct_digest(folder, number):
    (folder / "manifest.json").write_bytes(sealed({"format": 1, "files": {"a.bin": number}}))
    refused(folder, "manifest.json", "was changed, or is not a manifest")


def test_a_manifest_of_another_format_is_refused(folder):
    (folder / "manifest.json").write_bytes(sealed({"format": 2, "files": {}}))
    refused(folder, "manifest.json", "is not of format 1")
    (folder / "manifest.json").write_bytes(sealed({"format": 1, "files": {}, "more": 1}))
    refused(folder, "manifest.json", "is not of format 1")


@pytest.mark.parametrize(
    "name", ["../a.bin", "/etc/hostname", "..", ".", "", "sub/a", "sub\\a", "c:a", "a\0b", "manifest.json"]
)
def test_names_of_other_folders_are_refused(folder, name):
    entry = {"bytes": 0, "sha256": "0" * 64}
    (folder / "manifest.json").write_bytes(sealed({"format": 1, "files": {name: entry}}))
    refused(folder, "manifest.json", "does not list files of its folder with their sizes and digests")
    with pytest.raises(ValueError, match="a manifest lists files of its own folder; give a plain file name"):
        write_manifest(folder, [name])


@pytest.mark.parametrize(
    "entry",
    [
        {"bytes": 40},
        {"bytes": "40", "sha256": "0" * 64},
        {"bytes": True, "sha256": "0" * 64},
        {"bytes": 40.0, "sha256": "0" * 64},
        {"bytes": 40, "sha256": "0" * 63},
        {"bytes": 40, "sha256": 7},
        {"bytes": 40, "sha256": "0" * 64, "more": 1},
        [],
        None,
    ],
)
def test_entries_of_another_shape_are_refused(folder, entry):
    (folder / "manifest.json").write_bytes(sealed({"format": 1, "files": {"a.bin": entry}}))
    refused(folder, "manifest.json", "does not list files of its folder with their sizes and digests")


def test_files_must_be_a_table(folder):
    (folder / "manifest.json").write_bytes(sealed({"format": 1, "files": ["a.bin"]}))
    refused(folder, "manifest.json", "does not list files")


def test_a_manifest_above_the_size_limit_is_not_read(folder, monkeypatch):
    (folder / "manifest.json").write_bytes(b"[" * (2**20 + 1))
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda _: pytest.fail("it was read"))
    refused(folder, "manifest.json", "has 1048577 bytes, but at most 1048576 are allowed")


def test_more_files_than_a_manifest_holds_are_refused(folder, monkeypatch):
    monkeypatch.setattr(manifest, "LARGEST_MANIFEST", 300)
    with pytest.raises(ValueError, match=r"a manifest of 3 files has \d+ bytes, but 300 are allowed; give fewer files"):
        write_manifest(folder, FILES)


def test_a_missing_file_gets_no_manifest(tmp_path):
    with pytest.raises(DamagedError, match="nothing is missing"):
        write_manifest(tmp_path, ["nothing"])
    assert list(tmp_path.iterdir()) == []
