"""Recurrence: whole sequences of one layer of recurrent units in one call.

The references are the cells in `memtape.cells`, stepped by `memtape.unroll`; these are fused kernels for options that
torch's kernels do not have: layer normalisation, peepholes, other candidates, reset before the product, leaky units,
output feedback. A kernel for another device is another file beside `cpu.py`.
"""

from memtape.kernels.recurrence.cpu import recurrence_on_cpu
from memtape.kernels.recurrence.form import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState

KERNELS: dict[str, Recurrence] = {"cpu": recurrence_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "Recurrence", "RecurrenceForm", "RecurrenceParameters", "RecurrenceState"]
