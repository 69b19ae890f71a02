"""Sparse machine: whole sequences of a Sparse Access Memory, with or without links, in one call.

The references are the machines themselves, `memtape.models.SAMCell` and `SDNCCell`, stepped by `memtape.unroll`; what is here
are their fast twins, which take parameters and state as plain tensors. A twin for another device is one more file beside
`cpu.py`.
"""

from memtape.kernels.sam.cpu import sparse_machine_on_cpu
from memtape.kernels.sam.form import SparseForm, SparseMachine, SparseState

TWINS: dict[str, SparseMachine] = {"cpu": sparse_machine_on_cpu}
"""The twins by the name of their backend."""

__all__ = ["TWINS", "SparseForm", "SparseMachine", "SparseState"]
