"""CPU: the Differentiable Neural Computer in C++ (csrc/machines/dnc.cpp)."""

from memtape.kernels.dnc.form import DNCForm, DNCState
from memtape.kernels.machine import MachineOperator

dnc_on_cpu = MachineOperator("dnc", DNCForm, DNCState)
