"""Environment: the versions, the machine and the commit of a run."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from memtape.core.compiled_library import kernels
from memtape.version import __version__

LIBRARIES = ("torch", "numpy", "accelerate", "safetensors")


def environment() -> dict[str, Any]:
    """Return the environment: versions, processor, threads, instructions of the kernels, accelerator, commit."""
    return {
        "memtape": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": kernels().instructions,
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def processor() -> str:
    """Return the name of the processor, as reported by the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> str | None:
    """Return the commit of the source tree that memtape is imported from, marked if it was changed; None outside one."""

    def git(*words: str) -> str:
        root = Path(__file__).parent
        return subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        tracked = git("ls-files", "--error-unmatch", Path(__file__).name)
        head = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no", ":/src")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{head}+changes" if tracked and changed else head
