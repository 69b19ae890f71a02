"""Cell: one pure step of a recurrent network."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core.integers import Lengths
from memtape.core.known_parts import KeepsForward
from memtape.core.symbols import one_hot
from memtape.core.view import Views

S = TypeVar("S")


@runtime_checkable
class FusedRun(Protocol[S]):
    """Fused kernel of a cell: it computes all steps of a sequence in one call."""

    def __call__(
        self, xs: Float[Tensor, "batch time input"], state: S, lengths: Int[Tensor, " batch"] | None
    ) -> tuple[Float[Tensor, "batch time output"], S]:
        """Return the outputs, zero beyond a row's length, and the state after each row's last step.

        A row of length 0 keeps its state. Inputs are finite beyond a row's length, too.
        """
        ...


@runtime_checkable
class Taught(Protocol[S]):
    """A cell with output feedback, which can be trained with teacher forcing."""

    def teacher_forced(
        self,
        xs: Tensor,
        targets: Tensor,
        state: S | None = None,
        *,
        lengths: Lengths | None = None,
        teacher: float = 1.0,
    ) -> tuple[Float[Tensor, "batch time output"], S]:
        """Run over sequences with teacher forcing: feed back the target instead of the output with probability `teacher`."""
        ...


class Cell(KeepsForward, ABC, Generic[S]):
    r"""Abstract recurrent cell: one call computes one time step, and the module itself keeps no state.

    $$(y_t, s_t) = f(x_t, s_{t-1})$$

    A concrete cell sets `input_size` and `output_size` and is final; to change its behaviour, wrap it in another cell.

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
        """Take one step and return the output and the next state; `state` is not modified."""

    def read(self, symbols: Int[Tensor, "batch time"]) -> "tuple[Cell[S], Float[Tensor, 'batch time input']]":
        """Return the vectors of symbols and the cell that reads them: by default one-hot vectors and the cell itself."""
        parameter = next(self.parameters(), None)
        dtype = None if parameter is None else parameter.dtype
        return self, one_hot(symbols, self.input_size, dtype)

    def views(self, x: Float[Tensor, "batch input"], state: S) -> Views:
        """Return the views of one step, given the arguments of `forward`; () for cells without an external memory."""
        return ()

    def fused(self, backend: str) -> FusedRun[S] | None:
        """Return the fused kernel of this cell on a backend, None if there is none.

        The kernel looks the parameters up whenever it is called, because recomputation may use earlier ones.
        """
        return None

    def fused_step(self, backend: str) -> FusedRun[S] | None:
        """Return the fused kernel if it is faster than `forward` for a single step, None if it is not."""
        return None


AnyCell = Cell[Any]
"""A cell with any type of state."""


def fused_run(cell: Cell[S], backend: str) -> FusedRun[S] | None:
    """Return the fused kernel of a cell on a backend, None if there is none or the cell's step is not the kernel's.

    The step is another one if `forward` was patched, or if a class derived from the cell's overrides `forward` but not
    `fused`.
    """
    return cell.fused(backend) if _has_own_step(cell) else None


def fused_step_run(cell: Cell[S], backend: str) -> FusedRun[S] | None:
    """Return the fused kernel that takes single steps, None if there is none or the cell's step is not the kernel's."""
    return cell.fused_step(backend) if _has_own_step(cell) else None


def _has_own_step(cell: AnyCell) -> bool:
    """Return whether the step of a cell is the one that its kernel was written for."""
    kind = type(cell)
    return kind.forward is kind.forward_beside_fused and "forward" not in cell.__dict__
