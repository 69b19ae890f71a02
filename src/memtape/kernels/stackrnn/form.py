"""Form: the options and the state of the fused kernels of the recurrent network with superposition stacks."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Activation, Controller


@dataclass(frozen=True, kw_only=True)
class StackRNNForm:
    """All options of a machine, in the order of csrc/machines/stackrnn.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether the input and the last reads are connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of an "rnn" or "feedforward" controller."""
    visible: int
    """Number of top cells of each stack that are read."""
    no_op: bool
    """Whether there is a third action."""
    joint_actions: bool
    """Whether the actions of all stacks have one softmax."""
    push_activation: Literal["linear", "sigmoid", "tanh"]
    empty: float
    """Value of an empty cell."""


@dataclass(frozen=True, kw_only=True)
class StackRNNState:
    """The state of a machine between two steps."""

    cells: Float[Tensor, "batch stacks depth width"]
    """Differences to the value of an empty cell, from the top; a run needs a cell of zeros at the end for each step."""
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """The memory cells of an LSTM controller; empty for other controllers."""
    cache: Float[Tensor, "batch cached hidden"]
    """Cached hidden vectors of the controller; empty without attention over them."""
