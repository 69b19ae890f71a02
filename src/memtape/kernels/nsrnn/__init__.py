"""NSRNN: whole sequences of a recurrent network with a nondeterministic stack in one call.

The reference is `memtape.models.stack.nsrnn.NSRNNCell`, run step by step by `memtape.unroll`. A kernel for another device is
another file beside `cpu.py`.
"""

from memtape.kernels.machine import Machine
from memtape.kernels.nsrnn.cpu import nsrnn_on_cpu
from memtape.kernels.nsrnn.form import NSRNNForm, NSRNNState

KERNELS: dict[str, Machine[NSRNNForm, NSRNNState]] = {"cpu": nsrnn_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "NSRNNForm", "NSRNNState"]
