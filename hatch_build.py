"""Build the kernels of csrc/ when the package is installed: one library for each set of instructions.

An editable install is for the machine that it is made on, and has the fastest of these and the portable one. Without a
compiler, or where it fails, the package installs all the same; it then runs by its reference, and `memtape doctor` says why.
"""

import ctypes
import json
import os
import platform
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("turing_machine.cpp", "dnc.cpp", "sparse_machine.cpp", "recurrence.cpp", "processor.cpp")
FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-fPIC", "-shared", "-pthread")
THREADS = (("-fopenmp",), ())
"""Torch's own threads where the compiler knows OpenMP, else threads of our own."""
LEVELS = {"x86-64-v4": 4, "x86-64-v3": 3, "x86-64-v2": 2}
COMPILERS = ("c++", "g++", "clang++")


class KernelBuild(BuildHookInterface):
    """Compile csrc/ into src/memtape/kernels/."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the libraries and have them packed."""
        root = Path(self.root)
        folder = root / "src" / "memtape" / "kernels"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        reason = build(root / "csrc", folder, here=version == "editable")
        build_data["artifacts"].append("/src/memtape/kernels/*")
        if reason is not None:
            (folder / "unbuilt.json").write_text(json.dumps({"reason": reason}))
            self.app.display_warning(f"memtape is installed without its fast kernels: {reason}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def build(sources: Path, folder: Path, *, here: bool = False) -> str | None:
    """Compile every library that this machine's compiler can make; return why there is none, if so.

    Args:
        sources: folder of the sources.
        folder: where the libraries are put.
        here: make those that this processor would choose alone: the fastest that can be made, and the portable one.
    """
    compiler = os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return "no C++ compiler was found when memtape was installed; install g++ or clang++ and install memtape again"
    names = [*LEVELS] if platform.machine().lower() in ("x86_64", "amd64") else []

    def make(name: str) -> str | None:
        options = () if name == "portable" else (f"-march={name}",)
        return _compile(compiler, options, [sources / source for source in SOURCES], folder / f"memtape-{name}.so")

    def fastest(names: Iterable[str]) -> None:
        any(make(name) is None for name in names)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = pool.submit(make, "portable")
        if here:
            level = _level(compiler, sources)
            pool.submit(fastest, [name for name in names if LEVELS[name] <= level])
        else:
            pool.map(make, names)
    reason = failed.result()
    if reason is None:
        return None
    return (
        f"the C++ compiler {compiler} failed when memtape was installed ({reason}); set CXX and install memtape again"
    )


def _compile(compiler: str, options: Iterable[str], sources: Iterable[Path], library: Path) -> str | None:
    """Make a library; return why it could not be made, if so."""
    words = [*compiler.split(), *FLAGS, *options, *map(str, sources), "-o", str(library)]
    reason = None
    for threads in THREADS:
        try:
            subprocess.run([*words, *threads], check=True, capture_output=True, text=True)
        except OSError as error:
            return str(error)
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip() or f"exit status {error.returncode}").splitlines()[0]
        else:
            return None
    return reason


def _level(compiler: str, sources: Path) -> int:
    """Return the level of the x86-64 architecture that this processor has, 0 where that cannot be told."""
    with TemporaryDirectory() as folder:
        library = Path(folder) / "processor.so"
        if _compile(compiler, (), [sources / "processor.cpp"], library) is not None:
            return 0
        try:
            return int(ctypes.CDLL(str(library)).memtape_x86_64_level())
        except (OSError, AttributeError):  # a compiler for another machine
            return 0
