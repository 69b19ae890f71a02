"""Scan: cells whose step is linear in their state, over whole sequences at once.

Such a cell declares what one step does to its state as a `LinearStep`, which says how two of them combine. An engine then runs
all steps: `chunkwise` in parallel over time by operations of torch, on any device and for any declaration, `scan_on_cpu` in C++
for units that do not see one another. The references are the cells in `memtape.cells`, stepped by `memtape.unroll`.
"""

from memtape.kernels.scan.chunkwise import chunkwise
from memtape.kernels.scan.cpu import scan_on_cpu
from memtape.kernels.scan.form import ComplexDiagonal, Diagonal, LinearStep, ScanEngine, complex_product

ENGINES: dict[str, ScanEngine] = {"scan": chunkwise, "cpu": scan_on_cpu}
"""The engines by the name of their backend."""

__all__ = [
    "ENGINES",
    "ComplexDiagonal",
    "Diagonal",
    "LinearStep",
    "ScanEngine",
    "chunkwise",
    "complex_product",
    "scan_on_cpu",
]
