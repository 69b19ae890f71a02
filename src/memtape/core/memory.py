"""Memory and Interface: what is remembered, and how a hidden vector speaks to it."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core.view import Views

S = TypeVar("S")
C = TypeVar("C")


class Memory(nn.Module, ABC, Generic[S, C]):
    """Abstract external memory: dynamics only, driven by a typed control.

    `address`, `write` and `read` are the three verbs, each pure. One step, `forward`, is the memory's own order of
    them, since papers differ in whether a read sees the write of the same step.

    Attributes:
        read_size: size of what all read heads together return in one step.
    """

    read_size: int

    @abstractmethod
    def init_state(self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> S:
        """Return the memory before the first step, for `batch_size` sequences."""

    @abstractmethod
    def address(self, control: C, state: S) -> S:
        """Move the heads to where the control sends them; the contents stay."""

    @abstractmethod
    def write(self, control: C, state: S) -> S:
        """Change the contents where the write heads stand; the heads stay."""

    @abstractmethod
    def read(self, state: S) -> Float[Tensor, "batch read"]:
        """Return what the read heads see, one head after another."""

    @abstractmethod
    def forward(self, control: C, state: S) -> tuple[Float[Tensor, "batch read"], S]:
        """Take one step, address and read and write, and return the reads and the next state."""

    @abstractmethod
    def views(self, control: C, state: S) -> Views:
        """Return what is worth seeing of one step, from top to bottom; reports and figures draw this list.

        The arguments are those of `forward`: `state` is the memory before the step, so that a view can show what happens in it
        as well as what comes of it. A memory with nothing to see returns ().
        """


class Interface(nn.Module, ABC, Generic[C]):
    """Abstract translation of a hidden vector into the control that a memory understands.

    An interface owns parameters and no state; the memory it serves owns state and no such parameters.
    """

    @abstractmethod
    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> C:
        """Return the control that the hidden vector stands for."""


AnyMemory = Memory[Any, Any]
"""A memory whose kinds of state and control do not matter to the caller."""
AnyInterface = Interface[Any]
"""An interface whose kind of control does not matter to the caller."""
