"""Compiled library: load the fastest build of the fused kernels that this processor supports.

The package contains one library for each instruction set; the one to use is chosen when it is loaded.
"""

import ctypes
import json
import os
import re
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "kernels" / "compiled"

LAYOUTS: dict[str, str] = {}
"""The expected layout of the C structs and functions of each kernel, by the kernel's name; `expect` adds entries."""

LEVELS = {"x86-64-v4": 4, "x86-64-v3": 3, "portable": 0}
"""Builds, the fastest first, with the level of the x86-64 architecture that each needs."""


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """The loaded library, or the reason why there is none."""

    library: ctypes.CDLL | None
    instructions: str | None
    """Name of the build in use."""
    absent: str | None


@cache
def kernels() -> Kernels:
    """Load the fastest build that this processor supports, or the one that MEMTAPE_INSTRUCTIONS names."""
    built = [name for name in LEVELS if _file(name).is_file()]
    if not built:
        return _none(_why_unbuilt())
    asked = os.environ.get("MEMTAPE_INSTRUCTIONS")
    try:
        level = _load(built[-1]).memtape_x86_64_level()
        able = [name for name in built if LEVELS[name] <= level]
        if asked is not None and asked not in able:
            return _none(
                f"MEMTAPE_INSTRUCTIONS is {asked!r}, but this processor and build offer {', '.join(able)}; name one of them"
            )
        chosen = asked or able[0]
        library = _load(chosen)
    except (OSError, AttributeError) as error:
        return _none(f"the compiled kernels cannot be loaded ({error}); install memtape again")
    difference = next(filter(None, (_difference(library, *layout) for layout in LAYOUTS.items())), None)
    if difference is not None:
        return _none(f"the compiled kernels are of another version of memtape ({difference}); install memtape again")
    return Kernels(library=library, instructions=chosen, absent=None)


def expect(kernel: str, layout: str) -> None:
    """Register the layout of a kernel; a library whose `memtape_KERNEL_layout` returns another one is not loaded."""
    LAYOUTS[kernel] = layout
    kernels.cache_clear()


def _difference(library: ctypes.CDLL, kernel: str, layout: str) -> str | None:
    """Return the first difference between the layout of a kernel in a library and the expected one."""
    try:
        function = getattr(library, f"memtape_{kernel}_layout")
    except AttributeError:
        return f"they lack {kernel}"
    function.restype = ctypes.c_char_p
    found = function().decode()
    for ours, theirs in zip_longest(*(re.findall(r"[^\s,()]+|[()]", text) for text in (layout, found))):
        if ours != theirs:
            return f"{kernel} has {theirs or 'nothing'} instead of {ours or 'nothing'}"
    return None


def _file(name: str) -> Path:
    return FOLDER / f"memtape-{name}.so"


def _load(name: str) -> ctypes.CDLL:
    return ctypes.CDLL(str(_file(name)))


def _none(reason: str) -> Kernels:
    return Kernels(library=None, instructions=None, absent=reason)


def _why_unbuilt() -> str:
    try:
        return str(json.loads((FOLDER / "unbuilt.json").read_text())["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return "the compiled kernels are missing; install a C++ compiler and then memtape again"
