"""Several: memories side by side, and their interfaces, under one controller."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core.memory import AnyInterface, AnyMemory, Interface, Memory
from memtape.core.state import state
from memtape.core.view import Views


@state
class SeveralState:
    """The states of all memories."""

    memories: tuple[Any, ...]


class SeveralInterfaces(Interface[tuple[Any, ...]]):
    """Compute the control of each of several memories from one hidden vector, each by an interface of its own.

    Args:
        interfaces: the interfaces, in the order of the memories.

    Raises:
        ValueError: there is no interface.
    """

    def __init__(self, interfaces: Sequence[AnyInterface]):
        super().__init__()
        if not interfaces:
            raise ValueError("interfaces is empty, but every memory has one; give one or more")
        self.interfaces: Sequence[AnyInterface] = nn.ModuleList(interfaces)  # type: ignore[assignment]

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> tuple[Any, ...]:
        """Return the controls, in the order of the memories."""
        return tuple(interface(hidden) for interface in self.interfaces)


class SeveralMemories(Memory[SeveralState, tuple[Any, ...]]):
    r"""Take the step of several memories side by side; the read vectors of all of them are concatenated.

    $$(r^{(n)}_t, M^{(n)}_t) = \text{memory}_n(\xi^{(n)}_t, M^{(n)}_{t-1}), \qquad r_t = [r^{(1)}_t; \dots; r^{(N)}_t]$$

    Args:
        memories: the memories.

    Raises:
        ValueError: there is no memory.

    References:
        Le, Tran & Venkatesh (2018), "Dual memory neural computer for asynchronous two-view sequential learning",
        arXiv:1802.00662: the decoder reads from two memories.
    """

    def __init__(self, memories: Sequence[AnyMemory]):
        super().__init__()
        if not memories:
            raise ValueError("memories is empty, but there is nothing to read then; give one or more")
        self.memories: Sequence[AnyMemory] = nn.ModuleList(memories)  # type: ignore[assignment]
        self.read_size = sum(memory.read_size for memory in memories)

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> SeveralState:
        """Return the initial states."""
        states = (memory.init_state(batch_size, device=device, dtype=dtype) for memory in self.memories)
        return SeveralState(memories=tuple(states))

    def address(self, control: tuple[Any, ...], state: SeveralState) -> SeveralState:
        """Compute the weights of the heads of every memory."""
        moved = (memory.address(own, part) for memory, own, part in self._parts(control, state))
        return SeveralState(memories=tuple(moved))

    def write(self, control: tuple[Any, ...], state: SeveralState) -> SeveralState:
        """Change the contents of every memory."""
        written = (memory.write(own, part) for memory, own, part in self._parts(control, state))
        return SeveralState(memories=tuple(written))

    def read(self, state: SeveralState) -> Float[Tensor, "batch read"]:
        """Return the read vectors of all memories, concatenated."""
        return torch.cat([memory.read(part) for memory, part in zip(self.memories, state.memories, strict=True)], -1)

    def forward(
        self, control: tuple[Any, ...], state: SeveralState
    ) -> tuple[Float[Tensor, "batch read"], SeveralState]:
        """Take one step of every memory."""
        steps = [memory(own, part) for memory, own, part in self._parts(control, state)]
        return torch.cat([reads for reads, _ in steps], -1), SeveralState(memories=tuple(after for _, after in steps))

    def views(self, control: tuple[Any, ...], state: SeveralState) -> Views:
        """Return no views: those of several memories have the same names."""
        return ()

    def _parts(self, control: tuple[Any, ...], state: SeveralState) -> list[tuple[AnyMemory, Any, Any]]:
        return list(zip(self.memories, control, state.memories, strict=True))
