"""CPU: the Neural Turing Machine in C++ (csrc/machines/ntm.cpp)."""

from memtape.kernels.machine import MachineOperator
from memtape.kernels.ntm.form import NTMForm, NTMState

ntm_on_cpu = MachineOperator("ntm", NTMForm, NTMState)
