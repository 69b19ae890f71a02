"""Form: the options and the state of the fused kernels of tape machines."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Activation, Controller


@dataclass(frozen=True, kw_only=True)
class TapeForm:
    """All options of a machine, in the order of csrc/machines/tape.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether the input and the last reads are connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of an "rnn" or "feedforward" controller."""
    moves: Literal["jumps", "blanks"]
    values: Literal["linear", "sigmoid", "tanh"]
    """The activation of the written values."""


@dataclass(frozen=True, kw_only=True)
class TapeState:
    """The state of a machine between two steps, and the lengths of the jumps in all steps."""

    memory: Float[Tensor, "batch tapes slots width"]
    head_weights: Float[Tensor, "batch tapes slots"]
    jumps: Float[Tensor, "batch time"]
    """The length of a jump in each step, an integer from 0 to slots - 1; no gradient. Others count as 0."""
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """The memory cells of an LSTM controller; empty for other controllers."""
    cache: Float[Tensor, "batch cached hidden"]
    """Cached hidden vectors of the controller; empty without attention over them."""
