"""Contract: what every twin of the whole-sequence Differentiable Neural Computer takes and returns."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from memtape.kernels.operator import Controller, MachineParameters


@dataclass(frozen=True, kw_only=True)
class ComputerForm:
    """Everything about a machine that is no tensor."""

    controller: Controller
    shortcuts: bool
    """Whether every layer of the controller sees the input and the last reads, and is seen by interface and output."""
    oneplus: bool
    """Whether strengths begin at 1; else at 0."""
    squash: bool
    masked: bool
    """Whether heads choose which columns of a slot they compare."""
    sharpen: bool
    """Whether read heads choose how sharply they follow links."""
    deallocate: bool
    """Whether what is freed is erased."""
    usage_gradient: bool
    clip: float
    """Bound of the raw parameters, infinity for none."""
    mask_floor: float
    usage_epsilon: float
    usage_tolerance: float
    norm_epsilon: float
    product_epsilon: float


@dataclass(frozen=True, kw_only=True)
class ComputerState:
    """The state of a machine between two steps."""

    memory: Float[Tensor, "batch slots width"]
    read_weights: Float[Tensor, "batch reads slots"]
    write_weights: Float[Tensor, "batch writes slots"]
    usage: Float[Tensor, "batch slots"]
    links: Float[Tensor, "batch writes slots slots"]
    precedence: Float[Tensor, "batch writes slots"]
    reads: Float[Tensor, "batch read"]
    hidden: Float[Tensor, "layers batch hidden"]
    cell: Float[Tensor, "cell_layers batch hidden"]
    """Of an LSTM controller, else of no layer."""


@runtime_checkable
class Computer(Protocol):
    """A twin: run a machine over whole sequences."""

    def __call__(
        self,
        form: ComputerForm,
        parameters: MachineParameters,
        state: ComputerState,
        xs: Float[Tensor, "batch time input"],
        lengths: Int[Tensor, " batch"] | None,
    ) -> tuple[Float[Tensor, "batch time output"], ComputerState]:
        """Return the outputs, zero beyond a row's length, and the state after each row's last step."""
        ...
