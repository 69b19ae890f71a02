"""Recurrence: whole sequences of one layer of recurrent units in one call.

The references are the cells in `memtape.cells`, stepped by `memtape.unroll`; what is here are fused kernels, for what torch has
no kernel of its own: layer normalisation, peepholes, other candidates, reset before the product, leaky units, outputs fed
back. A kernel for another device is one more file beside `cpu.py`.
"""

from memtape.kernels.recurrence.cpu import recurrence_on_cpu
from memtape.kernels.recurrence.form import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState

KERNELS: dict[str, Recurrence] = {"cpu": recurrence_on_cpu}
"""The fused kernels by the name of their backend."""

__all__ = ["KERNELS", "Recurrence", "RecurrenceForm", "RecurrenceParameters", "RecurrenceState"]
