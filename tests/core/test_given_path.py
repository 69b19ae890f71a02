"""Given paths: the home folder, and pipes, which are refused."""

import os
from pathlib import Path

import pytest

import memtape
from memtape.core.given_path import given_path, read_given
from memtape.experiments.data_dir import with_data_dir
from memtape.experiments.run_folder.folder import Run


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "home"
    assert not list((tmp_path / "work").iterdir())


def test_the_home_folder_replaces_a_tilde_at_the_start_only(home):
    assert given_path("~/a") == home / "a"
    assert given_path(Path("~/a")) == home / "a"
    assert given_path("~") == home
    assert given_path("a/~/b") == Path("a/~/b")
    assert given_path("~no-such-user/a") == Path("~no-such-user/a")


def test_a_network_is_saved_in_the_home_folder(home):
    memtape.Elman(2, 2, hidden_size=3).save_pretrained("~/net")
    assert (home / "net" / "model.safetensors").is_file()
    assert memtape.Elman.from_pretrained("~/net").configuration["hidden_size"] == 3


def test_a_run_is_created_in_the_home_folder(home):
    run = Run.create(Path("~/run"), {}, {})
    assert run.folder == home / "run"
    assert Run(Path("~/run")).read("config.json") == {}


@pytest.mark.parametrize("name", ["option", "flag", "variable"])
def test_a_folder_of_data_is_in_the_home_folder(home, monkeypatch, name):
    monkeypatch.setenv("MEMTAPE_DATA_DIR", "~/data" if name == "variable" else "")
    options = {"data_dir": "~/data" if name == "option" else None}
    found = with_data_dir("digits", options, flag=Path("~/data") if name == "flag" else None)
    assert found == {"data_dir": str(home / "data")}


def test_a_pipe_is_not_read(home):
    os.mkfifo(home / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_given("~/pipe")


def test_a_folder_is_not_read(home):
    with pytest.raises(OSError, match="Is a directory"):
        read_given("~")


def test_reading_ends_after_the_most_bytes(home):
    (home / "file").write_bytes(b"abc")
    assert read_given("~/file") == b"abc"
    assert read_given("~/file", most=2) == b"ab"
