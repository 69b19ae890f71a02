"""Form: what every fused kernel of the Differentiable Neural Computer takes and returns."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Controller


@dataclass(frozen=True, kw_only=True)
class DNCForm:
    """Everything about a machine that is no tensor, in the order of csrc/machines/dnc.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether every layer of the controller sees the input and the last reads, and is seen by interface and output."""
    oneplus: bool
    """Whether strengths start at 1; else at 0."""
    squash: bool
    """Whether keys and added vectors go through tanh."""
    masked: bool
    """Whether heads choose which columns of a slot they compare."""
    sharpen: bool
    """Whether read heads choose how sharply they follow links."""
    deallocate: bool
    """Whether what is freed is erased."""
    usage_gradient: bool
    clip: float
    """Bound of the interface vector, infinity for none."""
    mask_floor: float
    usage_epsilon: float
    usage_tolerance: float
    norm_epsilon: float
    product_epsilon: float


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
    """Of an LSTM controller, else of no layer."""
