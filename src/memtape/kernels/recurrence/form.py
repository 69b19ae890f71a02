"""Form: what every fused kernel of a recurrence takes and returns."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

Kind = Literal["lstm", "gru", "plain", "early_gru", "output"]


@dataclass(frozen=True, kw_only=True)
class RecurrenceForm:
    """Everything about a recurrence that is no tensor, in the order of csrc/recurrence/recurrence.hpp."""

    kind: Kind
    """The early GRU resets before its product; "output" is plain units whose outputs alone are fed back."""
    activation: Literal["tanh", "sigmoid", "relu"] = "tanh"
    """That of the candidate, or of plain units."""
    feedback: Literal["outputs", "softmax", "sigmoid", "argmax"] = "outputs"
    """What is fed back of outputs."""
    epsilon: float = 0.0
    """What is added to variances."""


@dataclass(frozen=True, kw_only=True)
class RecurrenceParameters:
    """The parameters of a recurrence, as the kernels read them; None for what it has not.

    `gates` counts the numbers of all gates: 4 hidden for the LSTM in the order i, f, g, o; 3 hidden for the GRUs in the order
    r, z, n; hidden for the others. `fed` is what is fed back: the hidden vector, or else the outputs.
    """

    weight: Float[Tensor, "gates fed"]
    """What is fed back is multiplied with it."""
    gain: Float[Tensor, " gates"] | None = None
    """The products are normalised, those of r and z together and that of n by itself, and scaled by this."""
    bias: Float[Tensor, " gates"] | None = None
    """Added to the products after that."""
    peepholes: Float[Tensor, "3 hidden"] | None = None
    """What the gates i, f and o of an LSTM see the cell through."""
    cell_gain: Float[Tensor, " hidden"] | None = None
    """The cell of an LSTM is normalised within its last tanh, and scaled by this."""
    cell_bias: Float[Tensor, " hidden"] | None = None
    """Added to the cell after that; there if `cell_gain` is."""
    leak: Float[Tensor, " hidden"] | None = None
    """The share of itself that each plain unit keeps."""
    output_weight: Float[Tensor, "output hidden"] | None = None
    """Of outputs that are fed back."""
    output_bias: Float[Tensor, " output"] | None = None


@dataclass(frozen=True, kw_only=True)
class RecurrenceState:
    """The state of a recurrence between two steps."""

    fed: Float[Tensor, "batch fed"]
    """What is fed back."""
    cell: Float[Tensor, "batch hidden"] | None = None
    """Of an LSTM."""


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

        `given` is what the inputs add to the gates, all biases included that are not added to products.
        """
        ...
