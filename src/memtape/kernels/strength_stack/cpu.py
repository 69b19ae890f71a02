"""CPU: the recurrent network with a strength stack, queue or deque in C++ (csrc/machines/strength_stack.cpp)."""

from memtape.kernels.machine import MachineOperator
from memtape.kernels.strength_stack.form import StrengthStackForm, StrengthStackState

strength_stack_on_cpu = MachineOperator("strength_stack", StrengthStackForm, StrengthStackState)
