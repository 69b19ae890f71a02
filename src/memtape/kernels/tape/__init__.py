"""Tape: whole sequences of a tape machine in one call.

The references are `memtape.models.tape.taperrnn.TapeRNNCell` and `memtape.models.tape.babyntm.BabyNTMCell`, run step by
step by `memtape.unroll`. A kernel for another device is another file beside `cpu.py`.
"""

from memtape.kernels.machine import Machine
from memtape.kernels.tape.cpu import tape_on_cpu
from memtape.kernels.tape.form import TapeForm, TapeState

KERNELS: dict[str, Machine[TapeForm, TapeState]] = {"cpu": tape_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "TapeForm", "TapeState"]
