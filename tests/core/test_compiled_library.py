"""The build of the kernels that is loaded, and the message if none can be loaded."""

import ctypes
import json
import os
import shutil

import pytest
import torch

from memtape import NTM
from memtape.core import compiled_library as loading
from memtape.kernels import calling

PORTABLE = loading.FOLDER / "memtape-portable.so"

needs_kernels = pytest.mark.skipif(
    loading.kernels().absent is not None, reason=f"the fused kernels are absent: {loading.kernels().absent}"
)


def test_the_kernels_are_present_where_they_are_expected():
    """Without kernels their tests are skipped; with MEMTAPE_EXPECT_KERNELS=1 this test fails instead."""
    if os.environ.get("MEMTAPE_EXPECT_KERNELS") == "1":
        assert loading.kernels().absent is None, loading.kernels().absent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder that replaces the folder of the kernels."""
    monkeypatch.delenv("MEMTAPE_INSTRUCTIONS", raising=False)
    monkeypatch.delenv("MEMTAPE_BACKEND", raising=False)
    monkeypatch.setattr("memtape.core.backends._THREAD.name", None)
    monkeypatch.setattr(loading, "FOLDER", tmp_path)
    loading.kernels.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    loading.kernels.cache_clear()


def put(folder, *names):
    """Write a loadable library under each name."""
    for name in names:
        shutil.copy(PORTABLE, folder / f"memtape-{name}.so")


def put_empty(folder, name):
    (folder / f"memtape-{name}.so").touch()


def runs_in_single_steps():
    ys, _ = NTM(3, 2, slots=4)(torch.ones(1, 2, 3))
    return ys.isfinite().all()


def test_without_libraries_the_reason_of_the_installation_is_reported(folder):
    (folder / "unbuilt.json").write_text(json.dumps({"reason": "g++ was not found"}))
    assert loading.kernels().absent == "g++ was not found"
    assert loading.kernels().library is None
    assert loading.kernels().instructions is None
    assert runs_in_single_steps()


@pytest.mark.parametrize("text", [None, "not json", "{}"])
def test_without_libraries_and_reason_a_solution_is_reported(folder, text):
    if text is not None:
        (folder / "unbuilt.json").write_text(text)
    assert loading.kernels().absent == (
        "the compiled kernels are missing; install a C++ compiler and then memtape again"
    )
    assert runs_in_single_steps()


@pytest.mark.parametrize("content", [b"", b"this is no library", b"\x7fELF" + bytes(200)], ids=["empty", "text", "cut"])
@pytest.mark.parametrize("name", loading.LEVELS)
def test_a_broken_library_causes_no_crash(folder, name, content):
    (folder / f"memtape-{name}.so").write_bytes(content)
    assert loading.kernels().absent.startswith("the compiled kernels cannot be loaded (")
    assert loading.kernels().absent.endswith("); install memtape again")
    assert runs_in_single_steps()


def test_a_foreign_library_causes_no_crash(folder):
    import _ctypes  # noqa: PLC0415

    shutil.copy(_ctypes.__file__, folder / "memtape-portable.so")
    assert "cannot be loaded" in loading.kernels().absent
    assert runs_in_single_steps()


LAYOUT = "sizes(slots:int64@0,width:int64@8,clip:double@16) forward(sizes,xs)"


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (
            LAYOUT.replace("slots", "rows").replace("width", "slots"),
            "ntm has rows:int64@0 instead of slots:int64@0",
        ),
        (LAYOUT.replace("width:int64@8", "width:int32@8"), "ntm has width:int32@8 instead of width:int64@8"),
        (LAYOUT.replace(",clip:double@16", ""), "ntm has ) instead of clip:double@16"),
        (LAYOUT.replace("sizes,xs", "xs,sizes"), "ntm has xs instead of sizes"),
        (LAYOUT.replace("forward", "backward"), "ntm has backward instead of forward"),
        (LAYOUT.removesuffix(" forward(sizes,xs)"), "ntm has nothing instead of forward"),
    ],
    ids=["swapped", "resized", "missing", "other arguments", "another function", "no function"],
)
def test_a_library_whose_structs_or_functions_differ_is_not_called(folder, monkeypatch, found, difference):
    pretended = FakeLibrary(0)
    pretended.memtape_ntm_layout = Text(found)
    monkeypatch.setattr(loading, "LAYOUTS", {"ntm": LAYOUT})
    monkeypatch.setattr(loading, "_load", lambda name: pretended)
    put_empty(folder, "portable")
    assert loading.kernels().absent == (
        f"the compiled kernels are of another version of memtape ({difference}); install memtape again"
    )
    pretended.memtape_ntm_layout = Text(LAYOUT)
    loading.kernels.cache_clear()
    assert loading.kernels().absent is None


@needs_kernels
def test_a_library_without_a_kernel_is_not_called(folder, monkeypatch):
    put(folder, "portable")
    monkeypatch.setitem(loading.LAYOUTS, "another", LAYOUT)
    message = "the compiled kernels are of another version of memtape (they lack another); install memtape again"
    assert loading.kernels().absent == message
    with pytest.raises(RuntimeError, match="the fused kernels are absent: the compiled kernels are of another version"):
        calling.function("ntm_forward", torch.float32)


@needs_kernels
@pytest.mark.parametrize("kernel", ["ntm", "dnc", "sam", "recurrence", "scan"])
def test_every_kernel_checks_the_layout_of_its_structs(folder, monkeypatch, kernel):
    put(folder, "portable")
    assert loading.kernels().absent is None
    layout = loading.LAYOUTS[kernel]
    swapped = layout.replace("batch:int64@0,time:int64@8", "time:int64@0,batch:int64@8")
    assert swapped != layout
    monkeypatch.setitem(loading.LAYOUTS, kernel, swapped)
    loading.kernels.cache_clear()
    assert f"{kernel} has batch:int64@0 instead of time:int64@0" in loading.kernels().absent
    assert runs_in_single_steps()


@needs_kernels
def test_the_best_build_for_the_processor_is_loaded(folder, monkeypatch):
    put(folder, *loading.LEVELS)
    monkeypatch.setattr(loading, "LAYOUTS", {})
    chosen = {}
    for level in range(5):
        monkeypatch.setattr(loading, "_load", lambda name, level=level: FakeLibrary(level))
        loading.kernels.cache_clear()
        chosen[level] = loading.kernels().instructions
    assert chosen == {0: "portable", 1: "portable", 2: "portable", 3: "x86-64-v3", 4: "x86-64-v4"}


class FakeLibrary(ctypes.CDLL):
    """A library that reports a given level of the processor."""

    def __init__(self, level):
        self.memtape_x86_64_level = lambda: level


class Text:
    """A function of a library that returns a text."""

    def __init__(self, text):
        self.text = text

    def __call__(self):
        return self.text.encode()


@needs_kernels
def test_missing_builds_are_skipped(folder, monkeypatch):
    put(folder, "portable")
    assert loading.kernels().instructions == "portable"
    put(folder, "x86-64-v3")
    monkeypatch.setattr(loading, "LAYOUTS", {})
    monkeypatch.setattr(loading, "_load", lambda name: FakeLibrary(4))
    loading.kernels.cache_clear()
    assert loading.kernels().instructions == "x86-64-v3"


@needs_kernels
def test_the_environment_may_name_a_build(folder, monkeypatch):
    put(folder, *loading.LEVELS)
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", "portable")
    assert loading.kernels().instructions == "portable"
    assert loading.kernels().absent is None


@needs_kernels
@pytest.mark.parametrize("requested", ["x86-64-v5", "avx2", ""])
def test_an_unknown_build_is_refused_with_the_available_ones(folder, monkeypatch, requested):
    put(folder, "portable")
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", requested)
    assert loading.kernels().absent == (
        f"MEMTAPE_INSTRUCTIONS is {requested!r}, but this processor and build offer portable; name one of them"
    )
    assert runs_in_single_steps()


@needs_kernels
def test_a_build_beyond_the_processor_is_refused(folder, monkeypatch):
    put(folder, *loading.LEVELS)
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", "x86-64-v4")
    monkeypatch.setattr(loading, "_load", lambda name: FakeLibrary(3))
    assert "this processor and build offer x86-64-v3, portable; name one" in loading.kernels().absent


@needs_kernels
def test_kernels_are_loaded_once(folder, monkeypatch):
    put(folder, "portable")
    first = loading.kernels()
    monkeypatch.setenv("MEMTAPE_INSTRUCTIONS", "nothing")
    assert loading.kernels() is first
