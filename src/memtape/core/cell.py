"""Cell: one pure step of a recurrent network."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memtape.core.symbols import one_hot
from memtape.core.view import Views

S = TypeVar("S")


@runtime_checkable
class FusedRun(Protocol[S]):
    """A cell's fast twin: the same function as the cell stepped through time, in one call."""

    def __call__(
        self, xs: Float[Tensor, "batch time input"], state: S, lengths: Int[Tensor, " batch"] | None
    ) -> tuple[Float[Tensor, "batch time output"], S]:
        """Return the outputs, zero beyond a row's length, and the state after each row's last step.

        Lengths may be 0, which leaves the row's state as it is; inputs are finite also beyond a row's length.
        """
        ...


@runtime_checkable
class Taught(Protocol[S]):
    """A cell whose output is fed back, and which a teacher can be put in the place of."""

    def teacher_forced(
        self,
        xs: Tensor,
        targets: Tensor,
        state: S | None = None,
        *,
        lengths: Int[Tensor, " batch"] | None = None,
        teacher: float = 1.0,
    ) -> tuple[Float[Tensor, "batch time output"], S]:
        """Run over sequences, feeding each target back in the place of the output, with the teacher's probability."""
        ...


class Cell(nn.Module, ABC, Generic[S]):
    r"""Abstract part with a state: one call is one time step, and nothing stays behind in the module.

    $$(y_t, s_t) = f(x_t, s_{t-1})$$

    A concrete cell sets `input_size` and `output_size` and is final: wrap a cell to change it.

    Attributes:
        input_size: size of one input vector.
        output_size: size of one output vector.
    """

    input_size: int
    output_size: int

    @abstractmethod
    def init_state(self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None) -> S:
        """Return the state before the first step, for `batch_size` sequences."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "batch input"], state: S) -> tuple[Float[Tensor, "batch output"], S]:
        """Take one step and return its output and the next state; `state` itself is left as it was."""

    def read(self, symbols: Int[Tensor, "batch time"]) -> "tuple[Cell[S], Float[Tensor, 'batch time input']]":
        """Return the cell that takes the vectors which symbols stand for, and these vectors: itself, and one-hot vectors."""
        parameter = next(self.parameters(), None)
        dtype = None if parameter is None else parameter.dtype
        return self, one_hot(symbols, self.input_size, dtype)

    def views(self, x: Float[Tensor, "batch input"], state: S) -> Views:
        """Return what is worth seeing of one step, with the arguments of `forward`: nothing, save of cells with a memory."""
        return ()

    def fused(self, backend: str) -> FusedRun[S] | None:
        """Return what runs this cell over whole sequences on a backend, None where it can only be stepped."""
        return None


AnyCell = Cell[Any]
"""A cell whose kind of state does not matter to the caller."""
