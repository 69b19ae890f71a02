"""Build the kernels of csrc/ when the package is installed: one library for each set of instructions.

If there is no compiler, or it fails, the package is installed without kernels and runs the reference; `memtape doctor`
reports the reason. Libraries of the same sources and compiler are not built again. `python hatch_build.py` builds them in
advance.
"""

import hashlib
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
"""Torch's own threads if the compiler supports OpenMP, else threads of the kernels."""
LEVELS = ("x86-64-v4", "x86-64-v3")
COMPILERS = ("c++", "g++", "clang++")
STAMP = "built_from.txt"
"""The file that identifies what the libraries beside it were built from."""


class KernelBuild(BuildHookInterface):
    """Compile csrc/ into src/memtape/kernels/compiled/."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the libraries and add them to the wheel."""
        reason = build_once(Path(self.root))
        build_data["artifacts"] += [f"/src/memtape/kernels/compiled/{name}" for name in ("*.so", "unbuilt.json")]
        if reason is not None:
            self.app.display_warning(f"memtape is installed without its fused kernels: {reason}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def build_once(root: Path) -> str | None:
    """Build the libraries unless they exist, and return the reason if that is impossible."""
    folder = root / "src" / "memtape" / "kernels" / "compiled"
    stamp = _stamp(root)
    if (folder / STAMP).exists() and (folder / STAMP).read_text() == stamp:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    reason = build(root / "csrc", folder)
    if reason is None:
        (folder / STAMP).write_text(stamp)
    else:
        (folder / "unbuilt.json").write_text(json.dumps({"reason": reason}))
    return reason


def _stamp(root: Path) -> str:
    """Return a digest of the sources, of this file and of the compiler."""
    digest = hashlib.sha256(json.dumps([_compiler(), platform.machine()]).encode())
    for path in [Path(__file__), *sorted((root / "csrc").rglob("*.[ch]pp"))]:
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _compiler() -> str | None:
    return os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)


def build(sources: Path, folder: Path) -> str | None:
    """Compile every library that this machine's compiler supports, and return the reason if there is none."""
    compiler = _compiler()
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
    """Call the compiler, and return the reason if it fails."""
    try:
        subprocess.run(words, check=True, capture_output=True, text=True)
    except OSError as error:
        return str(error)
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip() or f"exit status {error.returncode}").splitlines()[0]
    return None


if __name__ == "__main__":
    build_once(Path(__file__).parent)
