"""The build of the kernels, and its messages if it fails."""

import importlib.util
from pathlib import Path

import pytest

from memtape.core import compiled_library

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hatch_build():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_compiler_the_message_names_one_to_install(hatch_build, monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(hatch_build.shutil, "which", lambda name: None)
    reason = hatch_build.build(ROOT / "csrc", tmp_path)
    assert reason.startswith("no C++ compiler was found when memtape was installed; install g++ or clang++")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("compiler", "message"), [("/no/such/compiler", "No such file"), ("false", "exit status 1")])
def test_a_failing_compiler_is_named(hatch_build, monkeypatch, tmp_path, compiler, message):
    monkeypatch.setenv("CXX", compiler)
    reason = hatch_build.build(ROOT / "csrc", tmp_path)
    assert reason.startswith(f"the C++ compiler {compiler} failed when memtape was installed")
    assert message in reason


def test_every_source_is_found_and_compiled(hatch_build, monkeypatch, tmp_path):
    sources = ("processor.cpp", "machines/ntm.cpp", "machines/another.cpp", "recurrence/recurrence.cpp")
    for source in sources:
        (tmp_path / "csrc" / source).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "csrc" / source).touch()
    monkeypatch.setenv("CXX", "a compiler")
    calls = []
    monkeypatch.setattr(hatch_build, "_failure", calls.append)
    assert hatch_build.build(tmp_path / "csrc", tmp_path) is None
    for source in sources:
        compiled = [words for words in calls if "-c" in words and words[words.index("-c") + 1].endswith(source)]
        assert len(compiled) == len([*hatch_build.LEVELS, "portable"])
        assert all(str(tmp_path / "csrc") == words[words.index("-I") + 1] for words in compiled)


def test_unchanged_sources_are_not_built_again_and_changed_ones_are(hatch_build, monkeypatch, tmp_path):
    (tmp_path / "csrc").mkdir()
    source = tmp_path / "csrc" / "part.hpp"
    source.write_text("1")
    builds = []
    monkeypatch.setattr(hatch_build, "build", lambda *_: builds.append(source.read_text()))
    for text, compiler in [("1", "one"), ("1", "one"), ("2", "one"), ("2", "one"), ("2", "another"), ("1", "one")]:
        source.write_text(text)
        monkeypatch.setenv("CXX", compiler)
        assert hatch_build.build_once(tmp_path) is None
    assert builds == ["1", "2", "2", "1"]


def test_a_failed_build_is_tried_again(hatch_build, monkeypatch, tmp_path):
    (tmp_path / "csrc").mkdir()
    reasons = ["no compiler", None]
    monkeypatch.setattr(hatch_build, "build", lambda *_: reasons.pop(0))
    assert [hatch_build.build_once(tmp_path) for _ in range(3)] == ["no compiler", None, None]
    assert [path.name for path in (tmp_path / "src/memtape/kernels/compiled").iterdir()] == [hatch_build.STAMP]


def test_every_build_can_be_loaded(hatch_build):
    assert {*hatch_build.LEVELS, "portable"} == set(compiled_library.LEVELS)


COMPILER = """#!/bin/sh
case "$*" in *REFUSED*) echo "unknown option" >&2; exit 1; esac
while [ "$1" != -o ]; do shift; done
touch "$2"
"""


@pytest.mark.parametrize(
    ("machine", "refused", "names"),
    [
        ("AMD64", "nothing", {"x86-64-v4", "x86-64-v3", "portable"}),
        ("x86_64", "-fopenmp", {"x86-64-v4", "x86-64-v3", "portable"}),
        ("x86_64", "-march=x86-64-v4", {"x86-64-v3", "portable"}),
        ("aarch64", "-march", {"portable"}),
    ],
)
def test_it_builds_every_library_that_the_compiler_supports(
    hatch_build, monkeypatch, tmp_path, machine, refused, names
):
    compiler = tmp_path / "compiler"
    compiler.write_text(COMPILER.replace("REFUSED", refused))
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setattr(hatch_build.platform, "machine", lambda: machine)
    assert hatch_build.build(ROOT / "csrc", tmp_path) is None
    assert {path.stem.removeprefix("memtape-") for path in tmp_path.glob("*.so")} == names
