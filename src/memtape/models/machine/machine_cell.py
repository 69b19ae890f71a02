"""Machine cell: a memory-augmented cell that is built from options."""

from abc import abstractmethod
from typing import Any

from jaxtyping import Float
from torch import Tensor

from memtape.core.cell import Cell, FusedRun
from memtape.core.view import Views
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.scheduled import ScheduledCell


class MachineCell(Cell[Any]):
    """Abstract cell whose constructor builds a `machine`, which computes the steps.

    Attributes:
        machine: the controller, the interface and the memory.
    """

    machine: AugmentedCell | ScheduledCell

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> Any:
        """Return the state before the first step: controller, memory and reads."""
        return self.machine.init_state(batch_size, device=device, dtype=dtype)

    def control(self, x: Float[Tensor, "batch input"], state: Any) -> Any:
        """Return the control of the memory in this step, for inspection."""
        return self.machine.control(x, state)

    def views(self, x: Float[Tensor, "batch input"], state: Any) -> Views:
        """Return the memory's views of this step."""
        return self.machine.views(x, state)

    def forward(self, x: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Take one step."""
        return self.machine(x, state)

    @abstractmethod
    def fused(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""

    def fused_step(self, backend: str) -> FusedRun[Any] | None:
        """Return the fused kernel: a step has many small operations, and one call costs less than they do."""
        return self.fused(backend)
