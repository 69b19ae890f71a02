"""The build of the kernels: what it says where it cannot be done."""

import importlib.util
from pathlib import Path

import pytest

from memtape.core import kernels

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hatch_build():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_compiler_it_says_which_to_install(hatch_build, monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(hatch_build.shutil, "which", lambda name: None)
    reason = hatch_build.build(ROOT / "csrc", tmp_path)
    assert reason.startswith("no C++ compiler was found when memtape was installed; install g++ or clang++")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("compiler", "told"), [("/no/such/compiler", "No such file"), ("false", "exit status 1")])
def test_a_compiler_that_fails_is_named(hatch_build, monkeypatch, tmp_path, compiler, told):
    monkeypatch.setenv("CXX", compiler)
    reason = hatch_build.build(ROOT / "csrc", tmp_path)
    assert reason.startswith(f"the C++ compiler {compiler} failed when memtape was installed")
    assert told in reason


def test_every_build_is_one_that_can_be_loaded(hatch_build):
    assert {*hatch_build.LEVELS, "portable"} == set(kernels.LEVELS)


COMPILER = """#!/bin/sh
case "$*" in *no-such-option*) echo "unknown architecture" >&2; exit 1; esac
while [ "$1" != -o ]; do shift; done
touch "$2"
"""


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """A compiler that makes empty libraries."""
    path = tmp_path / "compiler"
    path.write_text(COMPILER)
    path.chmod(0o755)
    monkeypatch.setenv("CXX", str(path))
    return path


def built(folder):
    return {path.stem.removeprefix("memtape-") for path in folder.glob("*.so")}


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize(("machine", "names"), [("AMD64", set(kernels.LEVELS)), ("aarch64", {"portable"})])
def test_a_package_has_a_library_for_every_processor(hatch_build, monkeypatch, tmp_path, machine, names):
    monkeypatch.setattr(hatch_build.platform, "machine", lambda: machine)
    assert hatch_build.build(ROOT / "csrc", tmp_path) is None
    assert built(tmp_path) == names


@pytest.mark.parametrize(
    ("level", "refused", "best"),
    [
        (4, None, {"x86-64-v4"}),
        (3, None, {"x86-64-v3"}),
        (4, "x86-64-v4", {"x86-64-v3"}),
        (1, None, set()),
    ],
)
def test_an_editable_install_has_what_this_processor_would_choose(
    hatch_build, monkeypatch, tmp_path, compiler, level, refused, best
):
    monkeypatch.setattr(hatch_build.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(hatch_build, "_level", lambda *_: level)
    compiler.write_text(COMPILER.replace("no-such-option", refused or "no-such-option"))
    assert hatch_build.build(ROOT / "csrc", tmp_path, here=True) is None
    assert built(tmp_path) == {*best, "portable"}


def test_the_build_and_the_kernels_see_the_same_processor(hatch_build):
    library = kernels.kernels().library
    if library is None:
        pytest.skip("no kernels are built")
    compiler = next(filter(None, map(hatch_build.shutil.which, hatch_build.COMPILERS)))
    assert hatch_build._level(compiler, ROOT / "csrc") == library.memtape_x86_64_level()


@pytest.mark.usefixtures("compiler")
def test_a_compiler_for_another_machine_leaves_the_portable_build(hatch_build, tmp_path):
    """Its libraries, here empty files, cannot be loaded."""
    assert hatch_build.build(ROOT / "csrc", tmp_path, here=True) is None
    assert built(tmp_path) == {"portable"}
