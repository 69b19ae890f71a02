"""Form: the options and the state of the fused kernels of the recurrent network with a nondeterministic stack."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from memtape.kernels.machine import Activation, Controller


@dataclass(frozen=True, kw_only=True)
class NSRNNForm:
    """All options of a machine, in the order of csrc/machines/nsrnn.hpp."""

    controller: Controller
    shortcuts: bool
    """Whether the input and the last reads are connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of an "rnn" or "feedforward" controller."""
    normalised: bool
    """Whether the weights of all operations from one state and top symbol are a softmax."""
    reading: Literal["states", "symbols"]


@dataclass(frozen=True, kw_only=True)
class NSRNNState:
    """The state of a machine between two steps; times from the latest to the earliest."""

    table: Float[Tensor, "batch symbols cells states symbols parts cells states"]
    """The blocks of `memtape.ops.stack_column`; a run drops what no longer fits into the cells."""
    sources: Float[Tensor, "batch cells states symbols"]
    tops: Float[Tensor, "batch states symbols parts"]
    exponent: Float[Tensor, " batch"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """The memory cells of an LSTM controller; empty for other controllers."""
    cache: Float[Tensor, "batch cached hidden"]
    """Cached hidden vectors of the controller; empty without attention over them."""
