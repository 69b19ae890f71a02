"""Contract: what every twin of the whole-sequence Turing machine takes and returns."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from memtape.kernels.operator import Controller, MachineParameters


@dataclass(frozen=True, kw_only=True)
class MachineForm:
    """Everything about a machine that is no tensor."""

    controller: Controller
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
