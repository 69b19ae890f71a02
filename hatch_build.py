"""Build the kernels of csrc/ when the package is installed: one library for each set of instructions.

Without a compiler, or where it fails, the package installs all the same; it then runs by its reference, and
`memtape doctor` says why.
"""

import json
import os
import platform
import shutil
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-fPIC", "-pthread")
THREADS = ("-fopenmp",)
"""Torch's own threads where the compiler knows OpenMP, else threads of our own."""
LEVELS = ("x86-64-v4", "x86-64-v3")
COMPILERS = ("c++", "g++", "clang++")


class KernelBuild(BuildHookInterface):
    """Compile csrc/ into src/memtape/kernels/compiled/."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the libraries and have them packed."""
        root = Path(self.root)
        folder = root / "src" / "memtape" / "kernels" / "compiled"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        reason = build(root / "csrc", folder)
        build_data["artifacts"].append("/src/memtape/kernels/compiled/*")
        if reason is not None:
            (folder / "unbuilt.json").write_text(json.dumps({"reason": reason}))
            self.app.display_warning(f"memtape is installed without its fast kernels: {reason}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def build(sources: Path, folder: Path) -> str | None:
    """Compile every library that this machine's compiler can make; return why there is none, if so."""
    compiler = os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return "no C++ compiler was found when memtape was installed; install g++ or clang++ and install memtape again"
    intel = platform.machine().lower() in ("x86_64", "amd64")
    names = (*(LEVELS if intel else ()), "portable")
    words = [*compiler.split(), *FLAGS, "-I", str(sources)]
    found = [path.relative_to(sources).as_posix() for path in sorted(sources.rglob("*.cpp"))]
    with TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        trial = [str(sources / "processor.cpp"), "-shared", "-o", str(Path(scratch) / "trial.so")]
        if _failure([*words, *THREADS, *trial]) is None:
            words += THREADS

        def object_of(name: str, source: str) -> str:
            return f"{scratch}/{name}-{source.replace('/', '-')}.o"

        def compiled(name: str, source: str) -> str | None:
            options = () if name == "portable" else (f"-march={name}",)
            return _failure([*words, *options, "-c", str(sources / source), "-o", object_of(name, source)])

        def linked(name: str) -> str | None:
            objects = (object_of(name, source) for source in found)
            return _failure([*words, "-shared", *objects, "-o", str(folder / f"memtape-{name}.so")])

        parts = {name: [pool.submit(compiled, name, source) for source in found] for name in names}
        reasons = {}
        for name, compiling in parts.items():
            failures = filter(None, [part.result() for part in compiling])
            reasons[name] = next(failures, None) or linked(name)
    reason = reasons["portable"]
    if reason is None:
        return None
    return (
        f"the C++ compiler {compiler} failed when memtape was installed ({reason}); set CXX and install memtape again"
    )


def _failure(words: list[str]) -> str | None:
    """Call the compiler; return why it fails, if it does."""
    try:
        subprocess.run(words, check=True, capture_output=True, text=True)
    except OSError as error:
        return str(error)
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip() or f"exit status {error.returncode}").splitlines()[0]
    return None
