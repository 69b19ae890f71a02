"""Write cache: write a running mean of the add vectors."""

import dataclasses
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.view import Views
from memtape.memory.slots import CONSTANT


@state
class CachedControl:
    """The control of the memory, whose add vectors are those before the cache, and the gates of the cache."""

    memory: Any
    gates: Float[Tensor, "*batch writes width"]


@state
class CachedState:
    """The state of the memory, and the cached add vectors."""

    memory: Any
    cache: Float[Tensor, "*batch writes width"]


class CachedInterface(Interface[CachedControl]):
    r"""Compute the gates of a write cache beside the control of the memory, $\gamma = \sigma(W h)$.

    Args:
        interface: the interface of the memory.
        hidden_size: size of the hidden vector.
        width: size of one slot.
        write_heads: number of write heads.
    """

    def __init__(self, interface: Interface[Any], hidden_size: int, width: int, *, write_heads: int = 1):
        super().__init__()
        self.interface, self.width = interface, width
        self.gates = nn.Linear(hidden_size, write_heads * width, bias=False)
        nn.init.xavier_uniform_(self.gates.weight)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> CachedControl:
        """Compute the control from the hidden vector."""
        gates = torch.sigmoid(self.gates(hidden)).unflatten(-1, (-1, self.width))
        return CachedControl(memory=self.interface(hidden), gates=gates)


class CachedWrites(Memory[CachedState, CachedControl]):
    r"""Write a running mean of the add vectors in place of those of the step.

    $$v'_t = \gamma_t \odot v'_{t-1} + (1 - \gamma_t) \odot v_t$$

    All entries of $v'_0$ are 1e-6.

    Args:
        memory: the memory, whose control has the add vectors $v_t$, such as a `DNCMemory`.
        width: size of one slot.
        write_heads: number of write heads.

    References:
        Le, Tran & Venkatesh (2018), "Dual memory neural computer for asynchronous two-view sequential learning",
        arXiv:1802.00662, the authors' code.
    """

    def __init__(self, memory: Memory[Any, Any], width: int, *, write_heads: int = 1):
        super().__init__()
        self.memory, self.sizes = memory, (write_heads, width)
        self.read_size = memory.read_size

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> CachedState:
        """Return the initial state of the memory, and a cache of 1e-6."""
        return CachedState(
            memory=self.memory.init_state(batch_size, device=device, dtype=dtype),
            cache=torch.full((batch_size, *self.sizes), CONSTANT, device=device, dtype=dtype),
        )

    def address(self, control: CachedControl, state: CachedState) -> CachedState:
        """Compute the weights of the heads; the cache does not change."""
        return dataclasses.replace(state, memory=self.memory.address(control.memory, state.memory))

    def write(self, control: CachedControl, state: CachedState) -> CachedState:
        """Update the cache, and write it."""
        cached, cache = self._cached(control, state)
        return CachedState(memory=self.memory.write(cached, state.memory), cache=cache)

    def read(self, state: CachedState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of the memory."""
        return self.memory.read(state.memory)

    def forward(self, control: CachedControl, state: CachedState) -> tuple[Float[Tensor, "batch read"], CachedState]:
        """Take one step of the memory with the cached add vectors."""
        cached, cache = self._cached(control, state)
        reads, memory = self.memory(cached, state.memory)
        return reads, CachedState(memory=memory, cache=cache)

    def views(self, control: CachedControl, state: CachedState) -> Views:
        """Return the views of the memory."""
        return self.memory.views(self._cached(control, state)[0], state.memory)

    def _cached(self, control: CachedControl, state: CachedState) -> tuple[Any, Tensor]:
        cache = torch.lerp(control.memory.add, state.cache, control.gates)
        return dataclasses.replace(control.memory, add=cache), cache
