"""Form: the options and the state of the fused kernels of the Neural Turing Machine."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Activation, Controller


@dataclass(frozen=True, kw_only=True)
class NTMForm:
    """All options of a machine, in the order of csrc/machines/ntm.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether the input and the last reads are connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of an "rnn" or "feedforward" controller."""
    shift_range: int
    location: bool
    """Whether heads interpolate, shift and sharpen; else they address by content only."""
    cosine: bool
    """Whether keys are compared by cosine; else by the dot product."""
    read_first: bool
    squash: bool
    """Whether tanh is applied to keys and add vectors."""
    clip: float
    """Bound of the absolute values of the interface vector; infinity for no bound."""
    squash_queries: bool = False
    """Whether tanh is applied to the queries of programs with keys."""


@dataclass(frozen=True, kw_only=True)
class NTMState:
    """The state of a machine between two steps."""

    memory: Float[Tensor, "batch slots width"]
    read_weights: Float[Tensor, "batch reads slots"]
    write_weights: Float[Tensor, "batch writes slots"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """The memory cells of an LSTM controller; empty for other controllers."""
    cache: Float[Tensor, "batch cached hidden"]
    """Cached hidden vectors of the controller; empty without attention over them."""
