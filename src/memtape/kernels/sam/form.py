"""Form: the options and the state of the fused kernels of the Sparse Access Memory, with or without links."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Activation, Controller


@dataclass(frozen=True, kw_only=True)
class SAMForm:
    """All options of a machine, in the order of csrc/machines/sam.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether the input and the last reads are connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of an "rnn" or "feedforward" controller."""
    nearest: int
    """Number of slots that a head reads in a step."""
    few: int
    """Number of written slots above which only a part of the memory is searched; 0 to search all of it."""
    squash: bool
    """Whether tanh is applied to keys and add vectors."""
    strengths: Literal["none", "softplus", "oneplus"]
    threshold: float
    """Weight above which a slot counts as accessed."""
    clip: float
    """Bound of the absolute values of the interface vector; infinity for no bound."""


@dataclass(frozen=True, kw_only=True)
class SAMState:
    """The state of a machine between two steps."""

    memory: Float[Tensor, "batch slots width"]
    read_weights: Float[Tensor, "batch heads slots"]
    usage: Float[Tensor, "batch slots"]
    """The step of the last access; no gradient."""
    before_places: Float[Tensor, "batch slots links"]
    """Links, without a gradient; lists of length 0 for a machine without links."""
    before_weights: Float[Tensor, "batch slots links"]
    after_places: Float[Tensor, "batch slots links"]
    after_weights: Float[Tensor, "batch slots links"]
    last_places: Float[Tensor, "batch links"]
    last_weights: Float[Tensor, "batch links"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """The memory cells of an LSTM controller; empty for other controllers."""
    cache: Float[Tensor, "batch cached hidden"]
    """Cached hidden vectors of the controller; empty without attention over them."""
