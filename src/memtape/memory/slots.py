"""Slots: the initial contents of a memory of slots."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from memtape.core import checks
from memtape.core.known_parts import KeepsForward

InitialMemory = Literal["constant", "even", "learned", "random", "zeros"]
INITIAL_MEMORIES = ("constant", "even", "learned", "random", "zeros")

CONSTANT = 1e-6
"""Every entry of a constant memory; at 0 the cosine similarity would depend on an epsilon (Collier & Beel 2018)."""

RANDOM_SPREAD = 0.5
"""Standard deviation, before tanh, of the entries of a random memory (Collier & Beel's code)."""


class InitialSlots(KeepsForward):
    """Return the initial contents of the slots, the same for every sequence.

    Args:
        slots: number of slots.
        width: size of one slot.
        kind: "constant" (1e-6 everywhere), "even" (1 / (slots · width) everywhere), "learned" (tanh of trained
            parameters with small random initial values), "random" (tanh of a normal sample, drawn once when the network
            is built) or "zeros".

    Raises:
        ValueError: a size is below 1, or the kind is unknown.

    References:
        Collier & Beel (2018), "Implementing Neural Turing Machines", arXiv:1807.08518, section 4.
    """

    def __init__(self, slots: int, width: int, kind: InitialMemory):
        super().__init__()
        checks.one_of(INITIAL_MEMORIES, initial_memory=kind)
        self.slots, self.width, self.kind = slots, width, kind
        if kind == "learned":
            self.bias = nn.Parameter(RANDOM_SPREAD * torch.randn(slots, width))
        elif kind == "random":
            self.register_buffer("contents", torch.tanh(RANDOM_SPREAD * torch.randn(slots, width)))

    def forward(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> Tensor:
        """Return the initial contents, shape (batch, slots, width)."""
        everywhere = {"constant": CONSTANT, "even": 1 / (self.slots * self.width), "zeros": 0.0}
        if self.kind in everywhere:
            value = torch.full((), everywhere[self.kind], device=device, dtype=dtype)
            return value.expand(batch_size, self.slots, self.width)
        contents = torch.tanh(self.bias) if self.kind == "learned" else self.get_buffer("contents")
        return contents.to(device=device, dtype=dtype).expand(batch_size, -1, -1)
