"""Machine cell: a memory-augmented cell that is built from options."""

from abc import abstractmethod
from typing import Any

from jaxtyping import Float
from torch import Tensor

from memtape.core.cell import Cell, FusedRun
from memtape.core.view import Views
from memtape.models.machine.augmented import AugmentedCell, AugmentedState


class MachineCell(Cell[AugmentedState]):
    """Abstract cell whose constructor builds a `machine`, which computes the steps.

    Attributes:
        machine: the controller, the interface and the memory.
    """

    machine: AugmentedCell

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> AugmentedState:
        """Return the state before the first step: controller, memory and reads."""
        return self.machine.init_state(batch_size, device=device, dtype=dtype)

    def control(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Any:
        """Return the control of the memory in this step, for inspection."""
        return self.machine.control(x, state)

    def views(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Views:
        """Return the memory's views of this step."""
        return self.machine.views(x, state)

    def forward(
        self, x: Float[Tensor, "batch input"], state: AugmentedState
    ) -> tuple[Float[Tensor, "batch output"], AugmentedState]:
        """Take one step."""
        return self.machine(x, state)

    @abstractmethod
    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""

    def fused_step(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel: a step has many small operations, and one call costs less than they do."""
        return self.fused(backend)
