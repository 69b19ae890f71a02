"""Form: the steps of cells that are linear in their state, and the interface of the engines."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core.starts import Starts
from memtape.core.state import state

S = TypeVar("S")
Step = TypeVar("Step", bound="LinearStep[Any]")


class LinearStep(ABC, Generic[S]):
    r"""Abstract affine map of a state, which is one step or several combined steps, given by tensors.

    $$s_t = A_t s_{t-1} + b_t$$

    A concrete class is a record made by `memtape.core.state.state`. The first axes of its tensors are (batch, time); an
    axis has size 1 if all rows or all steps are equal. Both methods are elementwise over all leading axes.
    """

    @abstractmethod
    def then(self: Step, later: Step) -> Step:
        r"""Return the composition of this step and a later one, $(A_2 A_1,\; A_2 b_1 + b_2)$; this is associative."""

    @abstractmethod
    def apply(self, state: S) -> S:
        """Return the state after the step."""


@runtime_checkable
class ScanEngine(Protocol):
    """An engine: run linear steps over whole sequences."""

    def __call__(
        self, steps: LinearStep[S], state: S, lengths: Int[Tensor, " batch"] | None, starts: Starts[S] | None
    ) -> tuple[S, S]:
        """Return the states after every step, with a time axis behind the batch, and those after each row's last step.

        The states beyond a row's length are arbitrary, but finite.
        """
        ...


@state
class Diagonal(LinearStep[Tensor]):
    r"""Step of units without connections to other units.

    $$h_t = a_t \odot h_{t-1} + b_t$$
    """

    decay: Float[Tensor, "*decaying hidden"]
    added: Float[Tensor, "*batch hidden"]

    def then(self, later: "Diagonal") -> "Diagonal":
        """Return the composition of this step and a later one."""
        return Diagonal(decay=later.decay * self.decay, added=later.decay * self.added + later.added)

    def apply(self, state: Tensor) -> Tensor:
        """Return the state after the step."""
        return self.decay * state + self.added


@state
class ComplexDiagonal(LinearStep[Tensor]):
    r"""Step of complex units without connections to other units; the second last axis has real and imaginary parts.

    $$h_t = a_t \odot h_{t-1} + b_t, \qquad a_t, b_t, h_t \in \mathbb{C}^n$$
    """

    decay: Float[Tensor, "*decaying 2 hidden"]
    added: Float[Tensor, "*batch 2 hidden"]

    def then(self, later: "ComplexDiagonal") -> "ComplexDiagonal":
        """Return the composition of this step and a later one."""
        decay = complex_product(later.decay, self.decay)
        return ComplexDiagonal(decay=decay, added=complex_product(later.decay, self.added) + later.added)

    def apply(self, state: Tensor) -> Tensor:
        """Return the state after the step."""
        return complex_product(self.decay, state) + self.added


def complex_product(a: Float[Tensor, "*a 2 hidden"], b: Float[Tensor, "*b 2 hidden"]) -> Float[Tensor, "*c 2 hidden"]:
    """Return the product of complex numbers whose real and imaginary parts are along the second last axis."""
    a_re, a_im = a.unbind(dim=-2)
    b_re, b_im = b.unbind(dim=-2)
    return torch.stack([a_re * b_re - a_im * b_im, a_re * b_im + a_im * b_re], dim=-2)
