"""Form: the options and the state of the fused kernels of the Differentiable Neural Computer."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Activation, Controller


@dataclass(frozen=True, kw_only=True)
class DNCForm:
    """All options of a machine, in the order of csrc/machines/dnc.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether the input and the last reads are connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of an "rnn" or "feedforward" controller."""
    oneplus: bool
    """Whether strengths are at least 1 (oneplus); else at least 0 (softplus)."""
    squash: bool
    """Whether tanh is applied to keys and add vectors."""
    masked: bool
    """Whether keys and slots are masked before they are compared."""
    sharpen: bool
    """Whether the weights along links are sharpened."""
    deallocate: bool
    """Whether freed slots are erased."""
    usage_gradient: bool
    clip: float
    """Bound of the absolute values of the interface vector; infinity for no bound."""
    mask_floor: float
    usage_epsilon: float
    usage_tolerance: float
    norm_epsilon: float
    product_epsilon: float
    squash_queries: bool = False
    """Whether tanh is applied to the queries of programs with keys."""


@dataclass(frozen=True, kw_only=True)
class DNCState:
    """The state of a machine between two steps."""

    memory: Float[Tensor, "batch slots width"]
    read_weights: Float[Tensor, "batch reads slots"]
    write_weights: Float[Tensor, "batch writes slots"]
    usage: Float[Tensor, "batch slots"]
    links: Float[Tensor, "batch writes slots slots"]
    precedence: Float[Tensor, "batch writes slots"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """The memory cells of an LSTM controller; empty for other controllers."""
    cache: Float[Tensor, "batch cached hidden"]
    """Cached hidden vectors of the controller; empty without attention over them."""
