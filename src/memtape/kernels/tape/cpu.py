"""CPU: the tape machine in C++ (csrc/machines/tape.cpp)."""

from memtape.kernels.machine import MachineOperator
from memtape.kernels.tape.form import TapeForm, TapeState

tape_on_cpu = MachineOperator("tape", TapeForm, TapeState)
