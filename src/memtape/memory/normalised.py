"""Normalised: layer normalisation before an interface."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from memtape.core.memory import AnyInterface, Interface
from memtape.core.view import Views


class Normalised(Interface[Any]):
    """Apply layer normalisation, with a learned scale and shift, to the hidden vector before an interface.

    Args:
        interface: the interface.
        hidden_size: size of the hidden vector.

    References:
        Franke, Niehues & Waibel (2018), "Robust and scalable differentiable neural computer for question answering",
        arXiv:1807.02658, "DNC normalization"; Ba, Kiros & Hinton (2016), "Layer normalization", arXiv:1607.06450.
    """

    def __init__(self, interface: AnyInterface, hidden_size: int):
        super().__init__()
        self.norm = nn.LayerNorm(hidden_size)
        self.interface = interface

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> Any:
        """Compute the control from the normalised hidden vector."""
        return self.interface(self.norm(hidden))

    def views(self, hidden: Float[Tensor, "batch hidden"]) -> Views:
        """Return the views of the interface."""
        return self.interface.views(self.norm(hidden))
