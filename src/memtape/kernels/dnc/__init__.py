"""DNC: whole sequences of a Differentiable Neural Computer in one call.

The reference is `memtape.models.DNCCell`, run step by step by `memtape.unroll`. A kernel for another device is another
file beside `cpu.py`.
"""

from memtape.kernels.dnc.cpu import dnc_on_cpu
from memtape.kernels.dnc.form import DNCForm, DNCState
from memtape.kernels.machine import Machine

KERNELS: dict[str, Machine[DNCForm, DNCState]] = {"cpu": dnc_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "DNCForm", "DNCState"]
