"""Runs: the folder that a training leaves behind.

config.json        the resolved experiment: model, task, their options, training settings, seed
environment.json   versions, processor, threads, commit
metrics.jsonl      one record a line, training and validation
weights.safetensors
result.json        how the training ended
evaluation.json    scores by length
figures/           PNG and SVG
report.html        all of it on one page
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from memtape.core.kernels import kernels
from memtape.core.whole_file import write_whole
from memtape.version import __version__

LIBRARIES = ("torch", "numpy", "accelerate", "safetensors")


class RunError(ValueError):
    """A run folder that cannot be written or read; the sentence says why and what to do."""


class Run:
    """A run folder, addressed by what it holds.

    Args:
        folder: where it is.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.figures = folder / "figures"
        self.metrics_file = folder / "metrics.jsonl"
        self.report_file = folder / "report.html"

    @classmethod
    def create(cls, folder: Path, config: Mapping[str, Any]) -> "Run":
        """Make a new folder and write its configuration and environment.

        Raises:
            RunError: the folder holds something already, or cannot be written.
        """
        run = cls(folder)
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise RunError(f"{folder} exists and is not an empty folder; give --out another name or remove it")
            run.figures.mkdir(parents=True)
        except OSError as error:
            raise RunError(
                f"the run folder {folder} cannot be made ({error.strerror}); give --out a place that you can write to"
            ) from None
        run.write("config.json", config)
        run.write("environment.json", environment())
        return run

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open the folder of a finished training.

        Raises:
            RunError: there is none, or a file is missing.
        """
        if not folder.is_dir():
            raise RunError(f"there is no run folder {folder}; give the folder that `memtape train` named at its end")
        run = cls(folder)
        for name in ("config.json", "weights.safetensors"):
            if not (folder / name).is_file():
                raise RunError(
                    f"{folder} has no {name}, so it is not the folder of a finished training; give one that is, or train again"
                )
        return run

    def write(self, name: str, value: Any) -> None:
        """Write a JSON file whole, or leave the old one."""
        _replace(self.folder / name, (json.dumps(value, indent=2) + "\n").encode())

    def read(self, name: str) -> Any:
        """Read a JSON file.

        Raises:
            RunError: it is missing or no JSON.
        """
        try:
            return json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            raise RunError(f"{self.folder} has no {name}; evaluate or train the run again") from None
        except ValueError as error:
            raise RunError(f"{self.folder / name} is no JSON ({error}); restore the file or train again") from None

    @contextmanager
    def metrics(self) -> Iterator[IO[str]]:
        """Open the metrics file for appending, a line at a time."""
        with self.metrics_file.open("a", buffering=1) as file:
            yield file

    def records(self) -> list[dict[str, Any]]:
        """Return the metrics, in the order in which they were written."""
        if not self.metrics_file.is_file():
            return []
        return [json.loads(line) for line in self.metrics_file.read_text().splitlines() if line]

    def save_weights(self, model: nn.Module) -> None:
        """Write the parameters and buffers of a network as safetensors."""
        tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
        _replace(self.folder / "weights.safetensors", save(tensors))

    def load_weights(self, model: nn.Module) -> None:
        """Load the weights into a network of the same configuration.

        Raises:
            RunError: the file is damaged, or holds the weights of another network.
        """
        path = self.folder / "weights.safetensors"
        try:
            tensors = load_file(path)
        except (SafetensorError, OSError) as error:
            raise RunError(f"{path} is damaged ({error}); restore the file or train again") from None
        try:
            model.load_state_dict(tensors)
        except RuntimeError:
            raise RunError(
                f"{path} does not hold the weights of the network in config.json; restore the two from one run or train again"
            ) from None


def default_folder(model: str, task: str, seed: int) -> Path:
    """Return a new name for a run under `runs/`, by model, task, seed and time."""
    return Path("runs") / f"{model}-{task}-seed{seed}-{datetime.now():%Y%m%d-%H%M%S}"


def environment() -> dict[str, Any]:
    """Return what a number depends on: versions, processor, threads, instructions of the kernels, accelerator, commit."""
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
    """Return the name of the processor, as far as the system tells it."""
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


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        RunError: it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}); free the place or give --out another") from None
