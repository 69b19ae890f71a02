"""DNC: whole sequences of a Differentiable Neural Computer in one call.

The reference is the machine itself, `memtape.models.DNCCell`, stepped by `memtape.unroll`; what is here are its fast twins,
which take its parameters and state as plain tensors. A twin for another device is one more file beside `cpu.py`.
"""

from memtape.kernels.dnc.cpu import computer_on_cpu
from memtape.kernels.dnc.form import Computer, ComputerForm, ComputerState

TWINS: dict[str, Computer] = {"cpu": computer_on_cpu}
"""The twins by the name of their backend."""

__all__ = ["TWINS", "Computer", "ComputerForm", "ComputerState"]
