"""SAM: whole sequences of a Sparse Access Memory, with links (SDNC) or without, in one call.

The references are `memtape.models.SAMCell` and `SDNCCell`, run step by step by `memtape.unroll`. A kernel for another
device is another file beside `cpu.py`.
"""

from memtape.kernels.machine import Machine
from memtape.kernels.sam.cpu import sam_on_cpu
from memtape.kernels.sam.form import SAMForm, SAMState

KERNELS: dict[str, Machine[SAMForm, SAMState]] = {"cpu": sam_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "SAMForm", "SAMState"]
