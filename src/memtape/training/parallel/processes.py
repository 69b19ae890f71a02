"""Processes: a training run in several processes, each with a share of every batch."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

from memtape.core.errors import WorkError
from memtape.training.settings import SettingsError, TrainSettings

MEETING_PLACE = "MEMTAPE_RENDEZVOUS"
"""Environment variable with the address at which the processes connect, such as file:///shared/meeting."""


RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
"""Environment variables in which launchers give a process its index."""


class LostProcessError(WorkError, RuntimeError):
    """Another process of the training run ended or failed."""


def launched_first() -> bool:
    """Return whether this is the first process of a training run, before the processes connect."""
    return next((os.environ[name] for name in RANKS if name in os.environ), "0") == "0"


class Processes:
    """The processes of a training run, as seen from one of them.

    Launchers such as torchrun and `accelerate launch` set the number of processes in the environment; the default is
    one.

    Args:
        settings: device, precision, threads, and how long to wait for other processes.

    Attributes:
        accelerator: the Accelerator of Accelerate: device, precision, averaging of gradients.
        index: the number of this process.
        count: how many there are.
        first: whether this is the process that writes and prints.
        patience: seconds that this process waits for another.

    Raises:
        SettingsError: there are more processes than a batch has rows for, or than the optimizer can use.
    """

    def __init__(self, settings: TrainSettings):
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        AcceleratorState._reset_state()  # else all later training runs have the precision of the first
        self.accelerator = Accelerator(
            cpu=settings.device == "cpu",
            mixed_precision="bf16" if settings.precision == "bf16" else "no",
            kwargs_handlers=[
                InitProcessGroupKwargs(
                    init_method=os.environ.get(MEETING_PLACE), timeout=timedelta(seconds=settings.patience)
                ),
                # With a carried state, the learned initial state has no gradient.
                DistributedDataParallelKwargs(find_unused_parameters=settings.carry or settings.tbptt is not None),
            ],
        )
        self.index, self.count = self.accelerator.process_index, self.accelerator.num_processes
        self.first, self.patience = self.index == 0, settings.patience
        if settings.batch_size < self.count * settings.accumulate:
            raise SettingsError(
                f"batch_size is {settings.batch_size}, but {self.count} processes with {settings.accumulate} parts each need "
                "a row for every part; give a larger batch_size"
            )

        if settings.optimizer == "ridge" and self.count > 1:
            raise SettingsError(
                f'optimizer is "ridge", which solves in one process, but there are {self.count}; start one'
            )

    def share(self, rows: int) -> tuple[int, int]:
        """Return the first row of this process's share of a batch, and the first one after it."""
        return self.index * rows // self.count, (self.index + 1) * rows // self.count

    def sum(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the sums of named numbers over all processes; all processes must call it."""
        if self.count == 1:
            return dict(values)
        own = torch.tensor(list(values.values()), dtype=torch.float64, device=self.accelerator.device)
        summed = self.accelerator.reduce(own, "sum")
        return dict(zip(values, summed.tolist(), strict=True))

    def any(self, condition: bool) -> bool:
        """Return whether a condition holds in any process; all processes must call it."""
        return self.sum({"": float(condition)})[""] > 0

    def broadcast(self, text: str) -> str:
        """Return the text of the first process in all processes; all processes must call it."""
        if self.count == 1:
            return text
        length = int(self.sum({"": float(len(text.encode()) if self.first else 0)})[""])
        own = list(text.encode()) if self.first else [0] * length
        letters = self.accelerator.reduce(torch.tensor(own, device=self.accelerator.device), "sum")
        return bytes(letters.tolist()).decode()

    @contextmanager
    def sharing_errors(self) -> Iterator[None]:
        """Stop all processes when one has an error, so that none waits for one that has ended.

        Raises:
            LostProcessError: another process had an error; the one that had it raises its own.
        """
        try:
            yield
        except Exception:
            self.any(True)
            raise
        if self.any(False):
            raise LostProcessError(
                f"process {self.index} of {self.count} stopped because another one failed; read its output"
            )

    @contextmanager
    def reporting_lost_processes(self) -> Iterator[None]:
        """Report a process that cannot be reached in one sentence.

        Raises:
            LostProcessError: another process ended, or did not answer in time.
        """
        try:
            yield
        except RuntimeError as error:
            message = str(error).lower()
            if self.count == 1 or not (
                "gloo" in message or "nccl" in message or "timed out" in message or "peer" in message
            ):
                raise
            raise LostProcessError(
                f"process {self.index} of {self.count} cannot reach the others, of which one ended or did not answer for "
                f"{self.patience} seconds; read what it printed, then continue with `memtape resume`"
            ) from None
