"""Form: what every fused kernel of the Neural Turing Machine takes and returns."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Controller


@dataclass(frozen=True, kw_only=True)
class NTMForm:
    """Everything about a machine that is no tensor, in the order of csrc/machines/ntm.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether every layer of the controller sees the input and the last reads, and is seen by interface and output."""
    shift_range: int
    location: bool
    """Whether heads blend, step and sharpen; else they go by content alone."""
    cosine: bool
    """Whether keys are compared by cosine; else by the dot product."""
    read_first: bool
    squash: bool
    """Whether keys and added vectors go through tanh."""
    clip: float
    """Bound of the interface vector, infinity for none."""


@dataclass(frozen=True, kw_only=True)
class NTMState:
    """The state of a machine between two steps."""

    memory: Float[Tensor, "batch slots width"]
    read_weights: Float[Tensor, "batch reads slots"]
    write_weights: Float[Tensor, "batch writes slots"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """Of an LSTM controller, else of no layer."""
