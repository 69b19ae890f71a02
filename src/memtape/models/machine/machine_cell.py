"""Machine cell: a cell that is a controller with a memory, put together from options."""

from abc import abstractmethod
from typing import Any

from jaxtyping import Float
from torch import Tensor

from memtape.core.cell import Cell, FusedRun
from memtape.core.view import Views
from memtape.models.machine.augmented import AugmentedCell, AugmentedState


class MachineCell(Cell[AugmentedState]):
    """Abstract cell whose constructor builds a `machine`, and which steps as that does.

    Attributes:
        machine: the controller, the interface and the memory.
    """

    machine: AugmentedCell

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> AugmentedState:
        """Return the state before the first step: controller, memory and reads."""
        return self.machine.init_state(batch_size, device=device, dtype=dtype)

    def control(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Any:
        """Return the control of the memory in this step; the step itself does not use it."""
        return self.machine.control(x, state)

    def views(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Views:
        """Return what the memory lists of this step."""
        return self.machine.views(x, state)

    def forward(
        self, x: Float[Tensor, "batch input"], state: AugmentedState
    ) -> tuple[Float[Tensor, "batch output"], AugmentedState]:
        """Take one step."""
        return self.machine(x, state)

    @abstractmethod
    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused machine of a backend, None where there is none or an option asks for single steps."""
