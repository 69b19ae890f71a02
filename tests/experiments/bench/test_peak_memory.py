"""Peak memory: the memory of a step beyond the memory that is held before it."""

import os
import subprocess
import sys

import pytest


def peak_of_code(*lines):
    """Return the peak memory of `step` that these lines define, in a new process."""
    imports = "import torch; from memtape.experiments.bench.peak_memory import peak_of, return_freed_memory_at_once"
    code = "\n".join([imports, *lines, "print(peak_of(step))"])
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # other threads would allocate their own memory
    finished = subprocess.run([sys.executable, "-c", code], env=alone, capture_output=True, text=True, check=True)
    return float(finished.stdout)


def test_the_peak_of_a_known_allocation_is_its_size():
    # Pieces of 4 MiB: smaller ones would fill the free blocks that importing torch leaves in the heap, and stay there.
    peak = peak_of_code(
        "return_freed_memory_at_once()",
        "kept = torch.ones(30 * 2**20); torch.ones(31 * 2**20)",
        "pieces = [torch.ones(2**15) for _ in range(1600)]; del pieces",
        "def step():",
        "    pieces = [torch.ones(2**20) for _ in range(40)]; middle = pieces[20]; del pieces",
        "    torch.ones(39 * 2**20)",
    )
    assert peak == pytest.approx(160, rel=0.05)


def test_a_step_in_previously_freed_memory_is_counted_too():
    # The last piece is kept, so that the freed memory below it stays in the heap until it is returned.
    peak = peak_of_code("def step(): return [torch.ones(2**14) for _ in range(640)]", "last = step()[-1]")
    assert peak == pytest.approx(40, rel=0.15)
