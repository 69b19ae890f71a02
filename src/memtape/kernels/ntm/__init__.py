"""Turing machine: whole sequences of a Neural Turing Machine in one call.

The reference is the machine itself, `memtape.models.NTMCell`, stepped by `memtape.unroll`; what is here are its fast twins,
which take its parameters and state as plain tensors. A twin for another device is one more file beside `cpu.py`.
"""

from memtape.kernels.ntm.cpu import turing_machine_on_cpu
from memtape.kernels.ntm.form import MachineForm, MachineState, TuringMachine

TWINS: dict[str, TuringMachine] = {"cpu": turing_machine_on_cpu}
"""The twins by the name of their backend."""

__all__ = ["TWINS", "MachineForm", "MachineState", "TuringMachine"]
