"""Memory and Interface: an external memory, and the map from a hidden vector to its control."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core.known_parts import KeepsForward
from memtape.core.view import Views

S = TypeVar("S")
C = TypeVar("C")


class Memory(KeepsForward, ABC, Generic[S, C]):
    """Abstract external memory: the memory's dynamics, driven by a typed control.

    `address`, `write` and `read` are pure functions. `forward` is one step and applies them in the memory's own order,
    since papers differ in whether a read includes the write of the same step.

    Attributes:
        read_size: total size of the vectors that all read heads return in one step.
    """

    read_size: int

    @abstractmethod
    def init_state(self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> S:
        """Return the memory before the first step, for `batch_size` sequences."""

    @abstractmethod
    def address(self, control: C, state: S) -> S:
        """Compute the weights of the heads from the control; the contents do not change."""

    @abstractmethod
    def write(self, control: C, state: S) -> S:
        """Change the contents with the weights of the write heads; the weights do not change."""

    @abstractmethod
    def read(self, state: S) -> Float[Tensor, "batch read"]:
        """Return the read vectors of all read heads, concatenated."""

    @abstractmethod
    def forward(self, control: C, state: S) -> tuple[Float[Tensor, "batch read"], S]:
        """Take one step, address and read and write, and return the reads and the next state."""

    @abstractmethod
    def views(self, control: C, state: S) -> Views:
        """Return the views of one step, from top to bottom, as reports and figures draw them.

        The arguments are those of `forward`: `state` is the memory before the step. A memory without views returns ().
        """


class Interface(KeepsForward, ABC, Generic[C]):
    """Abstract map from a hidden vector to the control of a memory.

    An interface has parameters and no state; its memory has state and no such parameters.
    """

    @abstractmethod
    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> C:
        """Compute the control from the hidden vector."""

    def views(self, hidden: Float[Tensor, "batch hidden"]) -> Views:
        """Return the views of what the interface chooses in one step, above those of the memory; () for none."""
        return ()


AnyMemory = Memory[Any, Any]
"""A memory with any types of state and control."""
AnyInterface = Interface[Any]
"""An interface with any type of control."""
