"""Contract: what every twin of the whole-sequence Turing machine takes and returns."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class MachineForm:
    """Everything about a machine that is no tensor."""

    controller: Literal["lstm", "gru", "rnn", "feedforward"]
    read_heads: int
    write_heads: int
    shift_range: int
    location: bool
    """Whether heads blend, step and sharpen; else they go by content alone."""
    cosine: bool
    """Whether keys are compared by cosine; else by the dot product."""
    read_first: bool
    squash: bool
    clip: float
    """Bound of the raw parameters, infinity for none."""


@dataclass(frozen=True, kw_only=True)
class MachineParameters:
    """The parameters of a machine, as the twins read them.

    `gates` counts the numbers of a layer's gates: 4 hidden for the LSTM in the order i, f, g, o; 4 hidden for the GRU in the
    order r, z, n of the input, n of the hidden vector; hidden for the others. Blocks that a gate does not see are zero.
    """

    first_weight: Float[Tensor, "gates input_and_reads"]
    """First layer, over the input and the last reads."""
    upper_weights: Float[Tensor, "upper_layers gates hidden"]
    """The other layers, over the layer below."""
    own_weights: Float[Tensor, "own_layers gates hidden"]
    """All layers over their own hidden vector; none of a feed-forward controller."""
    biases: Float[Tensor, "layers gates"]
    interface_weight: Float[Tensor, "raw hidden"]
    interface_bias: Float[Tensor, " raw"]
    output_weight: Float[Tensor, "output hidden_and_reads"]
    output_bias: Float[Tensor, " output"]


@dataclass(frozen=True, kw_only=True)
class MachineState:
    """The state of a machine between two steps."""

    memory: Float[Tensor, "batch slots width"]
    weights: Float[Tensor, "batch heads slots"]
    """Read heads first."""
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """Of an LSTM controller, else of no layer."""


@runtime_checkable
class TuringMachine(Protocol):
    """A twin: run a machine over whole sequences."""

    def __call__(
        self,
        form: MachineForm,
        parameters: MachineParameters,
        state: MachineState,
        xs: Float[Tensor, "batch time input"],
        lengths: Int[Tensor, " batch"] | None,
    ) -> tuple[Float[Tensor, "batch time output"], MachineState]:
        """Return the outputs, zero beyond a row's length, and the state after each row's last step."""
        ...
