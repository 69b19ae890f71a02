"""Form: the options, the parameters and the state of the fused kernels of a recurrence."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

Kind = Literal["lstm", "gru", "plain", "early_gru", "output"]


@dataclass(frozen=True, kw_only=True)
class RecurrenceForm:
    """All options of a recurrence, in the order of csrc/recurrence/recurrence.hpp."""

    kind: Kind
    """The early GRU applies the reset gate before the product; "output" is plain units with output feedback only."""
    activation: Literal["tanh", "sigmoid", "relu"] = "tanh"
    """The activation function of the candidate, or of plain units."""
    feedback: Literal["outputs", "softmax", "sigmoid", "argmax"] = "outputs"
    """The function of the outputs that is fed back."""
    epsilon: float = 0.0
    """Added to variances in layer normalisation."""


@dataclass(frozen=True, kw_only=True)
class RecurrenceParameters:
    """The parameters of a recurrence, in the kernels' format; None for absent ones.

    The size `gates` is that of all gates: 4 hidden for the LSTM in the order i, f, g, o; 3 hidden for the GRUs in the
    order r, z, n; hidden for the others. `fed` is the size of the feedback: the hidden vector or the outputs.
    """

    weight: Float[Tensor, "gates fed"]
    """The recurrent weights, applied to the feedback."""
    gain: Float[Tensor, " gates"] | None = None
    """Scale of the layer normalisation of the products; r and z are normalised together, n separately."""
    bias: Float[Tensor, " gates"] | None = None
    """Added to the products after normalisation."""
    peepholes: Float[Tensor, "3 hidden"] | None = None
    """Peephole weights from the memory cell to the gates i, f and o of an LSTM."""
    cell_gain: Float[Tensor, " hidden"] | None = None
    """Scale of the layer normalisation of an LSTM's memory cell inside the last tanh."""
    cell_bias: Float[Tensor, " hidden"] | None = None
    """Added to the memory cell after normalisation; present if `cell_gain` is."""
    leak: Float[Tensor, " hidden"] | None = None
    """The fraction of its value that each plain unit keeps."""
    output_weight: Float[Tensor, "output hidden"] | None = None
    """Weights of the outputs that are fed back."""
    output_bias: Float[Tensor, " output"] | None = None


@dataclass(frozen=True, kw_only=True)
class RecurrenceState:
    """The state of a recurrence between two steps."""

    fed: Float[Tensor, "batch fed"]
    """The feedback."""
    cell: Float[Tensor, "batch hidden"] | None = None
    """The memory cell of an LSTM."""


@runtime_checkable
class Recurrence(Protocol):
    """A fused kernel: run a recurrence over whole sequences."""

    def __call__(
        self,
        form: RecurrenceForm,
        parameters: RecurrenceParameters,
        state: RecurrenceState,
        given: Float[Tensor, "batch time gates"],
        lengths: Int[Tensor, " batch"] | None,
    ) -> tuple[Float[Tensor, "batch time fed"], RecurrenceState]:
        """Return the outputs, zero beyond a row's length, and the state after each row's last step.

        `given` is the contribution of the inputs to the gates, with all biases that are not added to products.
        """
        ...
