"""Contract: what every twin of the whole-sequence sparse machine takes and returns."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from memtape.kernels.operator import Controller, MachineParameters


@dataclass(frozen=True, kw_only=True)
class SparseForm:
    """Everything about a machine that is no tensor."""

    controller: Controller
    shortcuts: bool
    """Whether every layer sees the input, and is seen by the interface and the output."""
    nearest: int
    """Number of slots that a head reads in a step."""
    approximate: bool
    """Whether nearest slots may be looked for in a part of a large memory."""
    squash: bool
    strengths: Literal["none", "softplus", "oneplus"]
    threshold: float
    """Weight above which a slot counts as accessed."""
    clip: float
    """Bound of the raw parameters, infinity for none."""


@dataclass(frozen=True, kw_only=True)
class SparseState:
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


@runtime_checkable
class SparseMachine(Protocol):
    """A twin: run a machine over whole sequences."""

    def __call__(
        self,
        form: SparseForm,
        parameters: MachineParameters,
        state: SparseState,
        xs: Float[Tensor, "batch time input"],
        lengths: Int[Tensor, " batch"] | None,
    ) -> tuple[Float[Tensor, "batch time output"], SparseState]:
        """Return the outputs, zero beyond a row's length, and the state after each row's last step."""
        ...
