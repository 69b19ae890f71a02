"""Peak memory: the memory that one step allocates.

    python -m memtape.experiments.bench.peak_memory CASE

prints it in MiB, measured in this process; the first large step of a new process cannot reuse freed memory.
"""

import ctypes
import gc
import json
import resource
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from memtape.experiments.bench.measure import Case, Device, Step

MIB = 2**20
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_HIGH_WATER_MARK = "5"

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's allocator, by their numbers in malloc.h."""
RETURNED_FROM = 2**16
"""Size in bytes from which freed memory returns to the system at once."""


def peak_of(step: Step, device: Device = "cpu") -> float:
    """Run a step and return the peak of the memory that it allocates, in MiB.

    Args:
        step: the function to run.
        device: the device of the memory.
    """
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return (torch.cuda.max_memory_allocated() - before) / MIB
    gc.collect()
    _call_allocator("malloc_trim", 0)
    before = _high_water_mark_from_here()
    step()
    return (_high_water_mark() - before) / MIB


def peak_of_case(case: Case) -> float:
    """Return the peak memory of one step of a case, in MiB, after a tiny step that loads libraries."""
    return_freed_memory_at_once()
    torch.set_num_threads(case.threads)
    network = case.network()
    # Compiled code is specific to a batch size; otherwise a tiny first step avoids buffers of the full size.
    batch = case.batch if case.backend == "compile" else 1
    replace(case, batch=batch, time=2).step(network)()
    network.zero_grad()
    return peak_of(case.step(network), case.device)


def return_freed_memory_at_once() -> None:
    """Return freed memory to the system from now on; call this before any large allocation.

    The next allocation may or may not reuse memory that is kept, so that equal steps would show different peaks.
    """
    for parameter in (MMAP_THRESHOLD, TRIM_THRESHOLD):
        _call_allocator("mallopt", parameter, RETURNED_FROM)


def _call_allocator(name: str, *values: int) -> None:
    """Call a function of glibc's allocator; do nothing with other C libraries."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*values)


def _high_water_mark_from_here() -> int:
    """Reset the high-water mark to the current memory if the system allows it, and return it in bytes."""
    with suppress(OSError):
        CLEAR.write_text(RESET_HIGH_WATER_MARK)
    return _high_water_mark()


def _high_water_mark() -> int:
    """Return the peak resident memory of this process, in bytes."""
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    print(peak_of_case(Case(**json.loads(sys.argv[1]))))
