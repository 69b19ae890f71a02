"""CPU: the recurrent network with superposition stacks in C++ (csrc/machines/stackrnn.cpp)."""

from memtape.kernels.machine import MachineOperator
from memtape.kernels.stackrnn.form import StackRNNForm, StackRNNState

stackrnn_on_cpu = MachineOperator("stackrnn", StackRNNForm, StackRNNState)
