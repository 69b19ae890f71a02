"""Form: the options and the state of the fused kernels of the recurrent network with a strength stack, queue or deque."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Activation, Controller


@dataclass(frozen=True, kw_only=True)
class StrengthStackForm:
    """All options of a machine, in the order of csrc/machines/strength_stack.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether the input and the last reads are connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of an "rnn" or "feedforward" controller."""
    access: Literal["stack", "queue", "deque"]
    """Where items are popped and read: at the top, at the bottom, or at both ends of a deque, where they are pushed, too."""


@dataclass(frozen=True, kw_only=True)
class StrengthStackState:
    """The state of a machine between two steps; a run needs an item of zeros at the end for each step."""

    values: Float[Tensor, "batch ends items width"]
    """The items that were pushed at each end, the top first, and there the latest first."""
    strengths: Float[Tensor, "batch ends items"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """The memory cells of an LSTM controller; empty for other controllers."""
    cache: Float[Tensor, "batch cached hidden"]
    """Cached hidden vectors of the controller; empty without attention over them."""
