"""DNC machine: a controller with a DNC memory that is built from parts, with the kernel of the DNC."""

from memtape.core.cell import FusedRun
from memtape.memory import Protected
from memtape.models.dnc.fused import fused_dnc, fused_protected
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.machine_cell import MachineCell


class DNCMachine(MachineCell):
    """Run a controller with a `DNCMemory`, protected or not, by the kernel of the DNC where it can.

    Args:
        machine: the controller, the interface and the memory.
    """

    def __init__(self, machine: AugmentedCell):
        super().__init__()
        self.machine = machine
        self.input_size, self.output_size = machine.input_size, machine.output_size

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or a part needs the reference."""
        protected = isinstance(self.machine.memory, Protected)
        return (fused_protected if protected else fused_dnc)(self.machine, backend)
