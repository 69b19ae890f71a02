"""Plain module: a network as a module of tensors, with the state as a flat tuple of tensors."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from memtape.core.cell import Cell
from memtape.core.recurrent import Recurrent
from memtape.core.state_form import StateForm

Tensors = tuple[Tensor, ...]


class PlainModule(nn.Module, ABC):
    """Abstract module of plain tensors around a network over sequences.

    Args:
        network: the network, in evaluation mode.

    Attributes:
        network: the network.
        names: the names of the tensors of the state, in the order of the tuple.

    Raises:
        TypeError: the network is not one over sequences, or its state does not consist of tensors.
        ValueError: the network is in training mode.
    """

    def __init__(self, network: Any):
        super().__init__()
        self._check(network)
        if network.training:
            raise ValueError(
                f"{type(network).__name__} is in training mode, but a program computes one mode only; call .eval() first"
            )
        self.network = network
        self.form = StateForm.of(network.init_state(1), type(network).__name__)
        self.names = self.form.names

    def _check(self, network: Any) -> None:
        name = type(network).__name__
        if getattr(network, "input_kind", None) == "sequences":
            return
        if isinstance(network, Cell):
            cure = f"{name} is a cell, which knows no sequences; wrap it: memtape.Recurrent(cell)"
        elif hasattr(network, "input_kind"):
            cure = f"{name} reads {network.input_kind}, which have no plain form; call torch.export.export on its parts"
        elif isinstance(network, nn.Module):
            cure = (
                f"{name} is no network of memtape; call torch.export.export on it, or wrap a cell in memtape.Recurrent"
            )
        else:
            cure = f"a {name} is no network; pass one such as memtape.GRU(...)"
        raise TypeError(f"a program is made of a network over sequences, but {cure}")

    @torch.no_grad()
    def init_state(self, batch_size: int) -> Tensors:
        """Return the tensors of the initial state, for `batch_size` sequences."""
        return tuple(leaf.detach().contiguous() for leaf in self.form.flat(self.network.init_state(batch_size)))

    @abstractmethod
    def forward(self, *given: Any) -> tuple[Tensor, Tensors]:
        """Compute the outputs and the tensors of the next state."""


class Step(PlainModule):
    """Take one step of a network; the arguments are those of `PlainModule`.

    Example:
        >>> import memtape, torch
        >>> from memtape.deploy import Step
        >>> step = Step(memtape.GRU(input_size=3, output_size=2).eval())
        >>> y, state = step(torch.zeros(1, 3), step.init_state(1))
        >>> y.shape, step.names
        (torch.Size([1, 2]), ('hidden',))
    """

    def _check(self, network: Any) -> None:
        super()._check(network)
        if not isinstance(network, Recurrent):
            raise TypeError(
                f"a single step of {type(network).__name__} was requested, but it reads its input in both directions and needs "
                'whole sequences; export "sequences"'
            )

    def forward(self, x: Tensor, state: Tensors) -> tuple[Tensor, Tensors]:
        """Take one step.

        Args:
            x: the input, shape (batch, input), or symbols of shape (batch,).
            state: the tensors of the state before the step.

        Returns:
            The output, shape (batch, output), and the tensors of the state after the step.
        """
        y, after = self.network.step(x, self.form.rebuilt(state))
        return y, self.form.flat(after)


class Sequences(PlainModule):
    """Run a network over whole sequences; the arguments are those of `PlainModule`."""

    def forward(self, xs: Tensor, lengths: Tensor, state: Tensors) -> tuple[Tensor, Tensors]:
        """Run over whole sequences.

        Args:
            xs: the inputs, shape (batch, time, input), or symbols of shape (batch, time).
            lengths: number of valid steps of each row, shape (batch,).
            state: the tensors of the state before the first step.

        Returns:
            The outputs, zero beyond a row's length, and the tensors of the state after each row's last step.
        """
        ys, after = self.network(xs, self.form.rebuilt(state), lengths=lengths)
        return ys, self.form.flat(after)
