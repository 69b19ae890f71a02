"""Both contents: a memory whose read weights are applied to the contents of another one, too."""

import dataclasses

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core.memory import Memory
from memtape.core.state import state
from memtape.core.view import Views
from memtape.memory.dnc import DNCMemory, DNCState
from memtape.memory.dnc_control import DNCControl


@state
class BothState:
    """The state of the memory, and the contents of the other one."""

    own: DNCState
    other: Float[Tensor, "*batch slots width"]


class BothContents(Memory[BothState, DNCControl]):
    r"""Write to the own contents, and read with the same weights from the own and the other contents.

    $$r_t = [M_t^\top w^r_t;\; \bar M^\top w^r_t]$$

    Args:
        memory: the memory of the own contents; the other contents $\bar M$ have the same sizes.
    """

    def __init__(self, memory: DNCMemory):
        super().__init__()
        self.memory = memory
        self.read_size = 2 * memory.read_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> BothState:
        """Return the initial state of the memory, with equal other contents."""
        own = self.memory.init_state(batch_size, device=device, dtype=dtype)
        return BothState(own=own, other=own.memory)

    def address(self, control: DNCControl, state: BothState) -> BothState:
        """Compute the weights of the heads from the own contents."""
        return dataclasses.replace(state, own=self.memory.address(control, state.own))

    def write(self, control: DNCControl, state: BothState) -> BothState:
        """Change the own contents."""
        return dataclasses.replace(state, own=self.memory.write(control, state.own))

    def read(self, state: BothState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of the own and of the other contents."""
        other = ops.read(state.other, state.own.read_weights).flatten(1)
        return torch.cat([self.memory.read(state.own), other], -1)

    def look(self, control: DNCControl, state: BothState) -> tuple[Float[Tensor, "batch read"], BothState]:
        """Move the read heads and read; nothing else changes."""
        after = dataclasses.replace(state, own=self.memory.look(control, state.own)[1])
        return self.read(after), after

    def forward(self, control: DNCControl, state: BothState) -> tuple[Float[Tensor, "batch read"], BothState]:
        """Take one step: write to the own contents, then read from both."""
        after = dataclasses.replace(state, own=self.memory(control, state.own)[1])
        return self.read(after), after

    def views(self, control: DNCControl, state: BothState) -> Views:
        """Return the views of the own memory."""
        return self.memory.views(control, state.own)
