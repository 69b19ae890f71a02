"""Form: what every fused kernel of the Sparse Access Memory, with or without links, takes and returns."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Controller


@dataclass(frozen=True, kw_only=True)
class SAMForm:
    """Everything about a machine that is no tensor, in the order of csrc/machines/sam.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether every layer sees the input, and is seen by the interface and the output."""
    nearest: int
    """Number of slots that a head reads in a step."""
    few: int
    """Number of slots, once written to, above which only a part of the memory is searched; 0 to search all of it."""
    squash: bool
    """Whether keys and added vectors go through tanh."""
    strengths: Literal["none", "softplus", "oneplus"]
    threshold: float
    """Weight above which a slot counts as accessed."""
    clip: float
    """Bound of the interface vector, infinity for none."""


@dataclass(frozen=True, kw_only=True)
class SAMState:
    """The state of a machine between two steps."""

    memory: Float[Tensor, "batch slots width"]
    read_weights: Float[Tensor, "batch heads slots"]
    usage: Float[Tensor, "batch slots"]
    """The step of the last access; no gradient."""
    before_places: Float[Tensor, "batch slots links"]
    """Links, without a gradient; lists of length 0 for a machine that follows none."""
    before_weights: Float[Tensor, "batch slots links"]
    after_places: Float[Tensor, "batch slots links"]
    after_weights: Float[Tensor, "batch slots links"]
    last_places: Float[Tensor, "batch links"]
    last_weights: Float[Tensor, "batch links"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """Of an LSTM controller, else of no layer."""
