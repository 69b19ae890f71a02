"""Protected: a memory that is read but not written."""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core.memory import AnyMemory, Memory
from memtape.core.view import Views


@runtime_checkable
class ReadsAlone(Protocol):
    """A memory that can be read in a step without a write."""

    def look(self, control: Any, state: Any) -> tuple[Tensor, Any]:
        """Move the read heads and read; the contents and the write heads do not change."""
        ...


class Protected(Memory[Any, Any]):
    """Protect the contents of a memory: a step only moves its read heads and reads.

    The state is that of the memory. All of it but the read weights keeps its bits: contents, write weights, usage and links of
    a `DNCMemory`. The usage of a `LeastUsedMemory` counts reads, too.

    Args:
        memory: the memory, which can be read in a step without a write.

    Raises:
        TypeError: the memory has no such step.

    References:
        Le, Tran & Venkatesh (2018), "Dual control memory augmented neural networks for treatment recommendations",
        arXiv:1802.03689: write-protected memory.
    """

    def __init__(self, memory: AnyMemory):
        super().__init__()
        if not isinstance(memory, ReadsAlone):
            raise TypeError(
                f"the memory is a {type(memory).__name__}, which has no step that reads without a write; "
                "choose one with a method look, such as DNCMemory"
            )
        self.memory: Any = memory
        self.read_size = memory.read_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> Any:
        """Return the initial state of the memory."""
        return self.memory.init_state(batch_size, device=device, dtype=dtype)

    def address(self, control: Any, state: Any) -> Any:
        """Move the read heads."""
        return self.memory.look(control, state)[1]

    def write(self, control: Any, state: Any) -> Any:
        """Return the state itself."""
        return state

    def read(self, state: Any) -> Float[Tensor, "batch read"]:
        """Return the read vectors of the memory."""
        return self.memory.read(state)

    def forward(self, control: Any, state: Any) -> tuple[Float[Tensor, "batch read"], Any]:
        """Move the read heads and read."""
        return self.memory.look(control, state)

    def views(self, control: Any, state: Any) -> Views:
        """Return no views: those of the memory show a step that writes."""
        return ()
