"""NTM: whole sequences of a Neural Turing Machine in one call.

The reference is `memtape.models.NTMCell`, run step by step by `memtape.unroll`. A kernel for another device is another
file beside `cpu.py`.
"""

from memtape.kernels.machine import Machine
from memtape.kernels.ntm.cpu import ntm_on_cpu
from memtape.kernels.ntm.form import NTMForm, NTMState

KERNELS: dict[str, Machine[NTMForm, NTMState]] = {"cpu": ntm_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "NTMForm", "NTMState"]
