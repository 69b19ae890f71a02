"""Strength stack: whole sequences of a recurrent network with a strength stack, queue or deque in one call.

The reference is `memtape.models.stack.strength_cell.StrengthCell`, run step by step by `memtape.unroll`. A kernel for
another device is another file beside `cpu.py`.
"""

from memtape.kernels.machine import Machine
from memtape.kernels.strength_stack.cpu import strength_stack_on_cpu
from memtape.kernels.strength_stack.form import StrengthStackForm, StrengthStackState

KERNELS: dict[str, Machine[StrengthStackForm, StrengthStackState]] = {"cpu": strength_stack_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "StrengthStackForm", "StrengthStackState"]
