"""Which build of the kernels is loaded, and what is said where none can be."""

import ctypes
import json
import os
import shutil

import pytest
import torch

from memtape import NTM, use_backend
from memtape.core import compiled_library as loading

PORTABLE = loading.FOLDER / "memtape-portable.so"

needs_kernels = pytest.mark.skipif(
    loading.kernels().absent is not None, reason=f"the fused machine is absent: {loading.kernels().absent}"
)


def test_the_kernels_are_there_where_they_are_expected():
    """A run without kernels skips their tests; a run that sets MEMTAPE_EXPECT_KERNELS=1 must not."""
    if os.environ.get("MEMTAPE_EXPECT_KERNELS") == "1":
        assert loading.kernels().absent is None, loading.kernels().absent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder in the place of the kernels', read anew."""
    monkeypatch.delenv("MEMTAPE_INSTRUCTIONS", raising=False)
    monkeypatch.delenv("MEMTAPE_BACKEND", raising=False)
    monkeypatch.setattr(use_backend, "_chosen", None)
    monkeypatch.setattr(loading, "FOLDER", tmp_path)
    loading.kernels.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    loading.kernels.cache_clear()


def put(folder, *names):
    """Put a library that can be loaded there under each name."""
    for name in names:
        shutil.copy(PORTABLE, folder / f"memtape-{name}.so")


def runs_by_single_steps():
    ys, _ = NTM(3, 2, slots=4)(torch.ones(1, 2, 3))
    return ys.isfinite().all()


def test_without_libraries_the_reason_is_the_one_written_at_installation(folder):
    (folder / "unbuilt.json").write_text(json.dumps({"reason": "g++ was not found"}))
    assert loading.kernels().absent == "g++ was not found"
    assert loading.kernels().library is None
    assert loading.kernels().instructions is None
    assert runs_by_single_steps()


@pytest.mark.parametrize("text", [None, "not json", "{}"])
def test_without_libraries_and_reason_the_cure_is_said(folder, text):
    if text is not None:
        (folder / "unbuilt.json").write_text(text)
    assert loading.kernels().absent == (
        "the compiled kernels are not there; install memtape again, with a C++ compiler at hand"
    )
    assert runs_by_single_steps()


@pytest.mark.parametrize("content", [b"", b"this is no library", b"\x7fELF" + bytes(200)], ids=["empty", "text", "cut"])
@pytest.mark.parametrize("name", loading.LEVELS)
def test_a_library_that_is_broken_is_no_crash(folder, name, content):
    (folder / f"memtape-{name}.so").write_bytes(content)
    assert loading.kernels().absent.startswith("the compiled kernels cannot be loaded (")
    assert loading.kernels().absent.endswith("); install memtape again")
    assert runs_by_single_steps()


def test_a_foreign_library_is_no_crash(folder):
    import _ctypes  # noqa: PLC0415

    shutil.copy(_ctypes.__file__, folder / "memtape-portable.so")
    assert "cannot be loaded" in loading.kernels().absent
    assert runs_by_single_steps()


@needs_kernels
def test_a_library_of_another_version_is_not_called(folder, monkeypatch):
    put(folder, "portable")
    monkeypatch.setattr(loading, "INTERFACE", loading.INTERFACE + 1)
    assert loading.kernels().absent == ("the compiled kernels are of another version of memtape; install memtape again")


@needs_kernels
def test_the_best_build_that_the_processor_can_run_is_taken(folder, monkeypatch):
    put(folder, *loading.LEVELS)
    chosen = {}
    for level in range(5):
        monkeypatch.setattr(loading, "_load", lambda name, level=level: Pretended(level))
        loading.kernels.cache_clear()
        chosen[level] = loading.kernels().instructions
    assert chosen == {0: "portable", 1: "portable", 2: "portable", 3: "x86-64-v3", 4: "x86-64-v4"}


class Pretended(ctypes.CDLL):
    """A library on a processor of some level."""

    def __init__(self, level):
        self.memtape_x86_64_level = lambda: level
        self.memtape_interface = lambda: loading.INTERFACE


@needs_kernels
def test_builds_that_are_missing_are_passed_over(folder, monkeypatch):
    put(folder, "portable")
    assert loading.kernels().instructions == "portable"
    put(folder, "x86-64-v3")
    monkeypatch.setattr(loading, "_load", lambda name: Pretended(4))
    loading.kernels.cache_clear()
    assert loading.kernels().instructions == "x86-64-v3"


@needs_kernels
def test_the_environment_may_name_a_build(folder, monkeypatch):
    put(folder, *loading.LEVELS)
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", "portable")
    assert loading.kernels().instructions == "portable"
    assert loading.kernels().absent is None


@needs_kernels
@pytest.mark.parametrize("asked", ["x86-64-v5", "avx2", ""])
def test_an_unknown_build_is_refused_with_those_there_are(folder, monkeypatch, asked):
    put(folder, "portable")
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", asked)
    assert loading.kernels().absent == (
        f"MEMTAPE_INSTRUCTIONS is {asked!r}, but this processor and build offer portable; name one of them"
    )
    assert runs_by_single_steps()


@needs_kernels
def test_a_build_beyond_the_processor_is_refused(folder, monkeypatch):
    put(folder, *loading.LEVELS)
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", "x86-64-v4")
    monkeypatch.setattr(loading, "_load", lambda name: Pretended(3))
    assert "this processor and build offer x86-64-v3, portable; name one" in loading.kernels().absent


@needs_kernels
def test_kernels_are_loaded_once(folder, monkeypatch):
    put(folder, "portable")
    first = loading.kernels()
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", "nothing")
    assert loading.kernels() is first
