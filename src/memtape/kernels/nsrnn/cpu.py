"""CPU: the recurrent network with a nondeterministic stack in C++ (csrc/machines/nsrnn.cpp)."""

from memtape.kernels.machine import MachineOperator
from memtape.kernels.nsrnn.form import NSRNNForm, NSRNNState

nsrnn_on_cpu = MachineOperator("nsrnn", NSRNNForm, NSRNNState)
