"""StackRNN: whole sequences of a recurrent network with superposition stacks in one call.

The reference is `memtape.models.stack.stackrnn.StackRNNCell`, run step by step by `memtape.unroll`. A kernel for another
device is another file beside `cpu.py`.
"""

from memtape.kernels.machine import Machine
from memtape.kernels.stackrnn.cpu import stackrnn_on_cpu
from memtape.kernels.stackrnn.form import StackRNNForm, StackRNNState

KERNELS: dict[str, Machine[StackRNNForm, StackRNNState]] = {"cpu": stackrnn_on_cpu}
"""The fused kernels by the name of the backend."""

__all__ = ["KERNELS", "StackRNNForm", "StackRNNState"]
