"""A file is written completely or not at all."""

import os

import pytest

from memtape.core.atomic_write import write_atomically


def test_a_file_is_written_in_a_new_folder_and_replaced(tmp_path):
    path = tmp_path / "a" / "b" / "run.bin"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [entry.name for entry in path.parent.iterdir()] == ["run.bin"]


def test_a_failure_keeps_the_old_file_and_leaves_no_other_file(tmp_path, monkeypatch):
    path = tmp_path / "run.bin"
    write_atomically(path, b"first")

    def fail(source, target):
        assert path.read_bytes() == b"first"
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"second")
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.bin"]
