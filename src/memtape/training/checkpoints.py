"""Checkpoints: everything that a training run needs to continue, written so that a crash or a damaged file is detected.

checkpoints/
  step-000000250/
    weights.safetensors    the network
    best.safetensors       the network at its best validation
    optimizer.safetensors  running means and momenta
    process-0.safetensors  the carried state and random states of the first process; one such pair for each
    process-0.json
    progress.json          counters, sums, scores
    config.json            the resolved experiment
    environment.json       versions, processor
    metrics.jsonl          the metrics up to here
    manifest.json          size and SHA-256 of all of these

A folder is written under a temporary name, flushed to the disk, and renamed: it exists complete or not at all.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from memtape.core.manifest import DamagedError, read_manifest, read_verified, write_manifest
from memtape.core.tensor_file import tensors_of
from memtape.training.parallel.processes import Processes
from memtape.training.progress import Progress

PREFIX = "step-"
TENSORS = ".safetensors"

LARGEST_JSON = 2**20
"""Largest size in bytes of a JSON file of a checkpoint; a parsed file takes more memory than its size."""


@dataclass(frozen=True, kw_only=True)
class ProcessShare:
    """The part of a checkpoint that belongs to one process."""

    tensors: Mapping[str, Tensor]
    """Random states by `random.` and their names, the carried state by `carried.` and its paths."""
    plain: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything that a training run needs to continue."""

    weights: Mapping[str, Tensor]
    best_weights: Mapping[str, Tensor]
    """Empty before the first validation."""
    optimizer: Mapping[str, Tensor]
    progress: Progress
    shares: tuple[ProcessShare, ...]
    """Those of all processes after reading; when writing, only that of the calling process."""


class Checkpoints:
    """The checkpoints of a run.

    Args:
        folder: their folder.
        files: other files of the run, by name; each checkpoint has a copy of them.
        keep: number of the newest checkpoints to keep; the one of the best validation is kept too.
    """

    def __init__(self, folder: Path, files: Mapping[str, Path], *, keep: int):
        self.folder, self.files, self.keep = folder, files, keep

    def save(self, checkpoint: Checkpoint, processes: Processes) -> None:
        """Write a checkpoint and remove those that are no longer needed; all processes must call it.

        Raises:
            OSError: the disk is full or fails; earlier checkpoints are unchanged.
        """
        step = checkpoint.progress.step
        partial = self.folder / f".{PREFIX}{step:09d}.partial"
        (share,) = checkpoint.shares
        try:
            with processes.sharing_errors():
                if processes.first:
                    self._remove_partial()
                    partial.mkdir(parents=True)
            with processes.sharing_errors():
                name = f"process-{processes.index}"
                _write(partial / f"{name}.safetensors", save(dict(share.tensors)))
                _write(partial / f"{name}.json", _json(share.plain))
            with processes.sharing_errors():
                if processes.first:
                    self._finish(checkpoint, partial, self.path(step))
                    self._prune(step, checkpoint.progress.best_step)
        except OSError:
            self._remove_partial()
            raise

    def _remove_partial(self) -> None:
        for path in self.folder.glob(f".{PREFIX}*.partial"):
            shutil.rmtree(path, ignore_errors=True)

    def _finish(self, checkpoint: Checkpoint, partial: Path, final: Path) -> None:
        _write(partial / "weights.safetensors", save(_plain(checkpoint.weights)))
        _write(partial / "best.safetensors", save(_plain(checkpoint.best_weights)))
        _write(partial / "optimizer.safetensors", save(_plain(checkpoint.optimizer)))
        _write(partial / "progress.json", _json(checkpoint.progress.to_json()))
        for name, path in self.files.items():
            _write(partial / name, path.read_bytes())
        write_manifest(partial, [path.name for path in partial.iterdir()])
        _flush(partial / "manifest.json")
        _flush(partial)
        if final.exists():
            shutil.rmtree(final)  # a run resumed from an earlier checkpoint reaches the same step again
        os.replace(partial, final)
        _flush(self.folder)

    def _prune(self, newest: int, best: int) -> None:
        older = [step for step in self.steps() if step <= newest]
        for step in self.steps():
            if step not in older[-self.keep :] and step != best:
                shutil.rmtree(self.path(step))

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, in ascending order."""
        if not self.folder.is_dir():
            return []
        names = [path.name.removeprefix(PREFIX) for path in self.folder.iterdir() if path.name.startswith(PREFIX)]
        return sorted(int(name) for name in names if name.isdecimal())

    def path(self, step: int) -> Path:
        """Return the folder of a checkpoint."""
        return self.folder / f"{PREFIX}{step:09d}"

    def newest(self) -> tuple[Checkpoint | None, dict[str, bytes], list[str]]:
        """Return the newest valid checkpoint, its copies of the run's files, and the damages of newer ones."""
        damages: list[str] = []
        for step in reversed(self.steps()):
            try:
                return *self._read(step), damages
            except (DamagedError, OSError) as error:
                damages.append(str(error))
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                reason = " ".join(str(error).split())[:200]
                damages.append(f"{self.path(step)} is not a checkpoint ({type(error).__name__}: {reason}); remove it")
        return None, {}, damages

    def _read(self, step: int) -> tuple[Checkpoint, dict[str, bytes]]:
        """Return a checkpoint and its copies of the run's files, holding one file in memory at a time."""
        folder = self.path(step)
        manifest = read_manifest(folder)
        tensors: dict[str, dict[str, Tensor]] = {}
        plain: dict[str, Any] = {}
        copies: dict[str, bytes] = {}
        for name in manifest["files"]:
            content = read_verified(folder, name, manifest)
            if name in self.files:
                copies[name] = content
            elif name.endswith(TENSORS):
                tensors[name] = tensors_of(folder / name, content)
            elif len(content) > LARGEST_JSON:
                raise DamagedError(
                    f"{folder / name} has {len(content)} bytes, but at most {LARGEST_JSON} are allowed; restore the file"
                )
            else:
                plain[name] = json.loads(content)
        checkpoint = Checkpoint(
            weights=tensors["weights.safetensors"],
            best_weights=tensors["best.safetensors"],
            optimizer=tensors["optimizer.safetensors"],
            progress=Progress.from_json(plain["progress.json"]),
            shares=tuple(_shares(tensors, plain)),
        )
        if checkpoint.progress.step != step:
            raise DamagedError(f"{folder} holds step {checkpoint.progress.step}; give the folder its name back")
        return checkpoint, {name: copies[name] for name in self.files}


def _shares(tensors: Mapping[str, Mapping[str, Tensor]], plain: Mapping[str, Any]) -> Iterator[ProcessShare]:
    """Yield the share of each process; raise KeyError if that of the first one is missing."""
    for index in count():
        name = f"process-{index}"
        if index and f"{name}.json" not in plain:
            return
        yield ProcessShare(tensors=tensors[f"{name}{TENSORS}"], plain=plain[f"{name}.json"])


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _flush(path)


def _flush(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
