"""Fused controller: the parameters and the state of a machine's controller as plain tensors, for the fused kernels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LearnedInitialState, LSTMCell, Shortcuts, Stacked
from memtape.cells.elman import HiddenState
from memtape.cells.lstm import LSTMState
from memtape.cells.stacked import StackedState
from memtape.core.cell import AnyCell
from memtape.core.known_parts import KeepsForward, are_linear, unchanged
from memtape.core.state import NoState
from memtape.kernels.machine import Activation, Controller, MachineParameters
from memtape.memory import StoredPrograms
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_output import has_known_output, is_linear, output_layer, weight_and_bias

KINDS: dict[type[AnyCell], Controller] = {
    LSTMCell: "lstm",
    GRUCell: "gru",
    ElmanCell: "rnn",
    FeedforwardCell: "feedforward",
}


class Attention(NamedTuple):
    """The parameters of attention over cached hidden vectors, in the blocks of `MachineParameters`."""

    cached: Tensor
    now: Tensor
    score: Tensor


@dataclass(frozen=True)
class FusedController:
    """A controller that the fused kernels support: one cell, or stacked cells of one kind and size."""

    kind: Controller
    shortcuts: bool
    """Whether the input is connected to every layer, and every layer to the interface and the output."""
    activation: Activation
    """The activation of the layers of an Elman network or a feed-forward network, of which all have the same."""
    layers: Sequence[Any]

    @classmethod
    def of(cls, cell: AugmentedCell) -> "FusedController | None":
        """Return the controller of a cell for the kernels, None if they do not support a part of it."""
        inner = cell.controller.cell if isinstance(cell.controller, LearnedInitialState) else cell.controller
        stacked = type(inner) in (Stacked, Shortcuts)
        layers: Sequence[Any] = list(inner.layers) if stacked else [inner]  # type: ignore[arg-type]
        first = layers[0]
        alike = all(_kind(layer) == _kind(first) for layer in layers)
        dropped = isinstance(inner, Stacked) and bool(inner.dropout) and inner.training
        if dropped or not has_known_output(cell) or not _known(cell, inner):
            return None
        if not alike or not all(_supported(layer) for layer in layers):
            return None
        return cls(KINDS[type(first)], isinstance(inner, Shortcuts), getattr(first, "activation", "tanh"), layers)

    @property
    def size(self) -> int:
        """The number of hidden units of a layer."""
        return int(self.layers[0].output_size)

    def parameters(
        self,
        cell: AugmentedCell,
        of_interface: tuple[Tensor, Tensor] | None = None,
        attention: Attention | None = None,
    ) -> MachineParameters:
        """Return the parameters of the cell to which this controller belongs.

        Args:
            cell: the cell.
            of_interface: weight and bias of the interface, if they are not those of a single layer.
            attention: attention over cached hidden vectors; None for none.
        """
        first, *upper = parts = [_layer(layer) for layer in self.layers]
        own = [part.own for part in parts if part.own is not None]
        interface: Any = cell.interface
        keys = first.below.new_empty(0, 0, 0)
        if of_interface is None:
            linear = interface.head_parameters.linear
            of_interface = weight_and_bias(linear) if isinstance(linear, nn.Linear) else linear.rows()
            keys = keys if isinstance(linear, nn.Linear) else linear.directions()
        output_weight, output_bias = output_layer(cell)
        new_empty = first.below.new_empty
        none = new_empty(0, len(first.bias), self.size)
        if attention is None:
            attention = Attention(
                new_empty(0, self.size), new_empty(0, self.size + cell.memory.read_size), new_empty(0)
            )
        return MachineParameters(
            first_weight=first.below,
            upper_weights=_stacked([part.below for part in upper]) if upper else none,
            own_weights=_stacked(own) if own else none,
            biases=_stacked([part.bias for part in parts]),
            interface_weight=of_interface[0],
            interface_bias=of_interface[1],
            program_keys=keys,
            attention_cached=attention.cached,
            attention_now=attention.now,
            attention_score=attention.score,
            output_weight=output_weight,
            output_bias=output_bias,
        )

    def plain(self, state: AugmentedState) -> dict[str, Tensor]:
        """Return the hidden vectors and the memory cells of all layers."""
        layers = state.controller.layers if isinstance(state.controller, StackedState) else (state.controller,)
        if isinstance(layers[0], NoState):
            hidden = state.reads.new_zeros(len(layers), state.reads.shape[0], self.size)
        else:
            hidden = _stacked([layer.hidden for layer in layers])
        none = hidden.new_empty(0, *hidden.shape[1:])
        return {
            "hidden": hidden,
            "cell": _stacked([layer.cell for layer in layers]) if isinstance(layers[0], LSTMState) else none,
        }

    def rebuilt(self, before: Any, hidden: Tensor, cell: Tensor) -> Any:
        """Return a state of the controller, with the structure of `before`."""
        stacked = isinstance(before, StackedState)
        first = before.layers[0] if stacked else before
        layers: list[Any]
        if isinstance(first, NoState):
            layers = [first] * len(self.layers)
        elif not cell.shape[0]:
            layers = [HiddenState(hidden=of_layer) for of_layer in hidden]
        else:
            layers = [LSTMState(hidden=h, cell=c) for h, c in zip(hidden, cell, strict=True)]
        return StackedState(layers=tuple(layers)) if stacked else layers[0]


def _known(cell: AugmentedCell, inner: AnyCell) -> bool:
    """Return whether the cell, what surrounds its layers, and all parts of interface and memory are the kernels'."""
    parts = [part for whole in (cell.interface, cell.memory) for part in whole.modules()]
    own = [part for part in parts if isinstance(part, KeepsForward)]
    layers = [part for part in parts if not isinstance(part, KeepsForward) and type(part) is not nn.ModuleList]
    if any(isinstance(part, StoredPrograms) and part.options.hard for part in parts):
        return False
    return unchanged(cell, cell.controller, inner, *own) and all(is_linear(layer) for layer in layers)


def _supported(layer: Any) -> bool:
    if type(layer) not in KINDS or not unchanged(layer):
        return False
    if isinstance(layer, FeedforwardCell):
        return is_linear(layer.layer)
    if isinstance(layer, ElmanCell):
        return is_linear(layer.from_input) and are_linear(layer.from_hidden, bias=False)
    return bool(layer.plain)


def _kind(layer: Any) -> tuple[type, int, str | None]:
    return type(layer), layer.output_size, getattr(layer, "activation", None)


def _stacked(tensors: list[Tensor]) -> Tensor:
    return tensors[0][None] if len(tensors) == 1 else torch.stack(tensors)


class _Layer(NamedTuple):
    """The input weights, recurrent weights and bias of a layer, in the blocks of `MachineParameters`."""

    below: Tensor
    own: Tensor | None
    bias: Tensor


def _layer(cell: Any) -> _Layer:
    if isinstance(cell, FeedforwardCell):
        weight, bias = weight_and_bias(cell.layer)
        return _Layer(weight, None, bias)
    if not isinstance(cell, GRUCell):
        weight, bias = weight_and_bias(cell.from_input)
        return _Layer(weight, cell.from_hidden.weight, bias)
    size = cell.output_size
    nothing = cell.from_input.weight.new_zeros
    blend, candidate = cell.from_hidden.weight.split([2 * size, size])
    bias, own_bias = cell.from_input.bias, cell.from_hidden.bias
    return _Layer(
        torch.cat([cell.from_input.weight, nothing(size, cell.input_size)]),
        torch.cat([blend, nothing(size, size), candidate]),
        torch.cat([bias[: 2 * size] + own_bias[: 2 * size], bias[2 * size :], own_bias[2 * size :]]),
    )
