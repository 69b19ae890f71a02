"""DNC interface: from a hidden vector to what the heads of a Differentiable Neural Computer are told."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.memory import Interface
from memtape.memory.control import HeadParameters
from memtape.memory.dnc import DNCControl

Strengths = Literal["oneplus", "softplus"]
STRENGTHS = ("oneplus", "softplus")


class DNCInterface(Interface[DNCControl]):
    r"""Turn a hidden vector into what every head is told.

    $$k = \phi(\cdot), \quad \beta = 1 + \log(1 + e^{\cdot}), \quad e = \sigma(\cdot), \quad v = \phi(\cdot), \quad
    f, g^a, g^w = \sigma(\cdot), \quad \pi = \operatorname{softmax}(\cdot)$$

    with $\phi$ = the identity or tanh. The raw numbers stand in the order of the paper's interface vector: read keys, read
    strengths, write keys, write strengths, erase, add, free gates, allocation gates, write gates, read modes.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        strengths: range of the keys' strengths: "oneplus", from 1 on, or "softplus" as above without the 1, from 0 on.
        squash: pass keys and added vectors through tanh.
        clip: bound of every raw parameter on both sides; None leaves them free.

    Raises:
        ValueError: a size below 1, a clip that is not positive, or an unknown choice.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, Methods, "Interface parameters".
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        read_heads: int = 1,
        write_heads: int = 1,
        strengths: Strengths = "oneplus",
        squash: bool = False,
        clip: float | None = 20.0,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, read_heads=read_heads, write_heads=write_heads)
        checks.one_of(STRENGTHS, strengths=strengths)
        self.width, self.read_heads = width, read_heads
        self.strengths: Strengths = strengths
        self.squash = squash
        sizes = {
            "read_keys": read_heads * width,
            "read_strengths": read_heads,
            "write_keys": write_heads * width,
            "write_strengths": write_heads,
            "erase": write_heads * width,
            "add": write_heads * width,
            "free_gates": read_heads,
            "allocation_gates": write_heads,
            "write_gates": write_heads,
            "read_modes": read_heads * (1 + 2 * write_heads),
        }
        blocks = {name: torch.zeros(size) for name, size in sizes.items()}
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=clip)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> DNCControl:
        """Return the control that the hidden vector stands for."""
        raw = self.head_parameters(hidden)
        return DNCControl(
            read_keys=self._vectors(raw["read_keys"]),
            read_strengths=self._positive(raw["read_strengths"]),
            write_keys=self._vectors(raw["write_keys"]),
            write_strengths=self._positive(raw["write_strengths"]),
            erase=torch.sigmoid(raw["erase"]).unflatten(-1, (-1, self.width)),
            add=self._vectors(raw["add"]),
            free_gates=torch.sigmoid(raw["free_gates"]),
            allocation_gates=torch.sigmoid(raw["allocation_gates"]),
            write_gates=torch.sigmoid(raw["write_gates"]),
            read_modes=torch.softmax(raw["read_modes"].unflatten(-1, (self.read_heads, -1)), dim=-1),
        )

    def _vectors(self, raw: Tensor) -> Tensor:
        vectors = raw.unflatten(-1, (-1, self.width))
        return torch.tanh(vectors) if self.squash else vectors

    def _positive(self, raw: Tensor) -> Tensor:
        least = 1 if self.strengths == "oneplus" else 0
        return least + functional.softplus(raw)
