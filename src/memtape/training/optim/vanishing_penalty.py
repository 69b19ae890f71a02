"""Vanishing penalty: train plain recurrent networks to preserve the norm of gradients from step to step."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from memtape.cells.activation import Unit
from memtape.cells.elman import ElmanCell, HiddenState
from memtape.core.backends import use_backend
from memtape.ops.vanishing import vanishing_penalty
from memtape.training.settings import SettingsError

SLOPES: Mapping[Unit, Callable[[Tensor], Tensor]] = {
    "tanh": lambda hidden: 1 - hidden * hidden,
    "relu": lambda hidden: (hidden > 0).to(hidden.dtype),
    "sigmoid": lambda hidden: hidden * (1 - hidden),
}
"""The derivative of each activation, as a function of the hidden vector."""


class Omega:
    """A penalty and its sum over all backward passes so far.

    Args:
        weight: factor of the penalty.
        rows: number of rows that the mean is taken over.
    """

    def __init__(self, weight: float, rows: int | float):
        self.weight, self.rows = weight, rows
        self._sum: Tensor | float = 0.0

    def add(self, terms: Tensor) -> None:
        """Add the penalties of a backward pass, one for each row and step."""
        self._sum = self._sum + terms.sum()

    @property
    def value(self) -> float:
        """The sum over steps, averaged over rows, without the weight."""
        return float(self._sum) / self.rows


@contextmanager
def against_vanishing(network: nn.Module, weight: float, *, rows: int | float) -> Iterator[Omega]:
    r"""Add the gradient of a penalty on vanishing and exploding gradients in every backward pass inside the block.

    The penalty is $\Omega = \sum_t \Omega_t$ of `memtape.ops.vanishing.vanishing_penalty`, averaged over rows, over all
    steps whose gradient flows to an earlier step. $\nabla_{h_t} L$ is treated as a constant, so only the
    recurrent weights of each `ElmanCell` receive a gradient from the penalty. It is added to their gradient of the loss, and
    works with accumulation, truncation, recomputation and several processes. The loss is unchanged. Clip the gradients
    as usual.

    Cells run step by step here, since a fused kernel exposes no gradients of single steps. A step at which `starts`
    resets a row counts too.

    Args:
        network: a module that contains cells of the class `ElmanCell`.
        weight: factor of the penalty; 0 adds nothing.
        rows: number of rows that the mean is taken over: those of one step, for each process.

    Yields:
        The penalty, summed over the backward passes done so far.

    Raises:
        SettingsError: the network contains no such cell.

    Example:
        >>> import torch
        >>> from memtape import Recurrent
        >>> from memtape.cells import ElmanCell
        >>> network = Recurrent(ElmanCell(3, 4))
        >>> with against_vanishing(network, 0.1, rows=2) as omega:
        ...     ys, _ = network(torch.ones(2, 5, 3))
        ...     ys[:, -1].square().sum().backward()
        >>> 0 < omega.value < 4  # four steps of at most 1 each, as the gradients vanish
        True
    """
    omega = Omega(weight, rows)
    if not weight:
        yield omega
        return
    handles = [cell.register_forward_hook(_Watch(omega)) for cell in plain_cells(network, weight)]
    try:
        with use_backend("reference"):
            yield omega
    finally:
        for handle in handles:
            handle.remove()


def plain_cells(network: nn.Module, weight: float) -> list[ElmanCell]:
    """Return the cells of a network that a penalty of this weight applies to.

    Raises:
        SettingsError: the network contains no such cell.
    """
    cells = [module for module in network.modules() if isinstance(module, ElmanCell)]
    if not cells:
        raise SettingsError(
            f"the penalty on vanishing gradients has weight {weight}, but {type(network).__name__} contains no ElmanCell, "
            "to whose recurrent weights it applies; set it to 0 or choose a network of plain recurrent units"
        )
    return cells


class _Watch:
    """Hook of a cell: collects gradients of hidden vectors, then adds the penalty to those of recurrent weights."""

    def __init__(self, omega: Omega):
        self.omega = omega
        self.weights: Tensor | None = None
        self.seen: list[tuple[Tensor, Tensor]] = []

    def __call__(
        self, cell: ElmanCell, given: tuple[Tensor, HiddenState], returned: tuple[Tensor, HiddenState]
    ) -> tuple[Tensor, HiddenState] | None:
        (_, before), (hidden, after) = given, returned
        weights = cell.from_hidden.weight
        if not (torch.is_grad_enabled() and before.hidden.requires_grad and weights.requires_grad):
            return None  # no gradient, or none that flows further
        if self.weights is None:
            self.weights = _Share.apply(weights, cell.activation, self)
        hidden = _Seen.apply(hidden, self.weights, self)
        return hidden, replace(after, hidden=hidden)


class _Seen(torch.autograd.Function):
    """Return a hidden vector unchanged; in the backward pass, store its gradient."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weights: Tensor, watch: _Watch) -> Tensor:
        ctx.save_for_backward(hidden)
        ctx.watch = watch
        return hidden.view_as(hidden)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        ctx.watch.seen.append((*ctx.saved_tensors, gradient))
        return gradient, None, None


class _Share(torch.autograd.Function):
    """Return recurrent weights unchanged; in the backward pass, after all steps, add the gradient of the penalty."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, activation: Unit, watch: _Watch) -> Tensor:
        ctx.weights, ctx.activation, ctx.watch = weights, activation, watch
        return weights.view_as(weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: Tensor) -> tuple[Tensor | None, ...]:
        watch, omega = ctx.watch, ctx.watch.omega
        hidden, gradients = (torch.cat(steps) for steps in zip(*watch.seen, strict=True))
        watch.weights, watch.seen = None, []
        with torch.enable_grad():
            weights = ctx.weights.detach().requires_grad_()
            terms = vanishing_penalty(weights, SLOPES[ctx.activation](hidden.to(weights.dtype)), gradients)
            (share,) = torch.autograd.grad(terms.sum() * (omega.weight / omega.rows), weights)
        omega.add(terms.detach())
        return share, None, None
