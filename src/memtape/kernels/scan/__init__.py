"""Scan: run cells that are linear in their state over whole sequences, in parallel over time.

Such a cell describes its step as a `LinearStep`, which defines how two steps combine. An engine then runs all steps:
`chunkwise` in parallel over time by operations of torch, on any device and for any declaration, `scan_on_cpu` in C++
for units without connections to other units. The references are the cells in `memtape.cells`, run step by step by
`memtape.unroll`.
"""

from memtape.kernels.scan.chunkwise import chunkwise
from memtape.kernels.scan.cpu import scan_on_cpu
from memtape.kernels.scan.form import ComplexDiagonal, Diagonal, LinearStep, ScanEngine, complex_product

ENGINES: dict[str, ScanEngine] = {"scan": chunkwise, "cpu": scan_on_cpu}
"""The engines by the name of the backend."""

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
