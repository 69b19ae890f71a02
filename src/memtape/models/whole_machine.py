"""Whole machine: hand an augmented cell that is a Turing machine to its fused twins, which run whole sequences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LearnedInitialState, LSTMCell, Stacked
from memtape.cells.elman import HiddenState
from memtape.cells.lstm import LSTMState
from memtape.cells.stacked import StackedState
from memtape.core.cell import AnyCell, Twin
from memtape.core.state import NoState
from memtape.memory import ContentInterface, ContentMemory, TuringInterface, TuringMemory
from memtape.models.augmented import AugmentedCell, AugmentedState
from memtape.ops.machine import MachineParameters
from memtape.ops.turing_machine import TWINS, MachineForm, MachineState, TuringMachine

KINDS: dict[type[AnyCell], Any] = {LSTMCell: "lstm", GRUCell: "gru", ElmanCell: "rnn", FeedforwardCell: "feedforward"}


def whole_machine(cell: AugmentedCell, backend: str) -> Twin[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run = TWINS.get(backend)
    layers = _layers(cell.controller)
    known = all(type(layer) is type(layers[0]) and _known(layer) for layer in layers)
    dropped = any(isinstance(part, Stacked) and part.dropout and part.training for part in cell.controller.modules())
    by_place = type(cell.memory) is TuringMemory and type(cell.interface) is TuringInterface
    by_content = type(cell.memory) is ContentMemory and type(cell.interface) is ContentInterface
    one_after_another = by_place and cell.memory.sequential_heads
    if run is None or not known or dropped or not (by_place or by_content) or one_after_another:
        return None
    return _WholeMachine(run, cell, layers)


def _known(layer: AnyCell) -> bool:
    if isinstance(layer, ElmanCell):
        return layer.activation == "tanh"
    return layer.plain if isinstance(layer, LSTMCell | GRUCell) else type(layer) in KINDS


def _layers(controller: AnyCell) -> Sequence[AnyCell]:
    inner = controller.cell if isinstance(controller, LearnedInitialState) else controller
    return list(inner.layers) if isinstance(inner, Stacked) else [inner]


@dataclass(frozen=True)
class _WholeMachine:
    """The twin of one machine: reads its parameters and state as plain tensors, and rebuilds the state."""

    run: TuringMachine
    cell: AugmentedCell
    layers: Sequence[Any]

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        ys, last = self.run(self._form(), self._parameters(), self._plain(state), xs, lengths)
        if torch.is_autocast_enabled(xs.device.type):
            ys = ys.to(torch.get_autocast_dtype(xs.device.type))
        return ys, self._rebuilt(state, last)

    def _form(self) -> MachineForm:
        memory: Any = self.cell.memory
        interface: Any = self.cell.interface
        by_place = isinstance(memory, TuringMemory)
        clip = interface.head_parameters.clip
        return MachineForm(
            controller=KINDS[type(self.layers[0])],
            read_heads=memory.read_heads,
            write_heads=memory.write_heads,
            shift_range=interface.offsets // 2 if by_place else 0,
            location=by_place,
            cosine=memory.similarity == "cosine",
            read_first=memory.read_first,
            squash=interface.squash,
            clip=math.inf if clip is None else clip,
        )

    def _parameters(self) -> MachineParameters:
        first, *upper = parts = [_layer(layer) for layer in self.layers]
        own = [part.own for part in parts if part.own is not None]
        interface: Any = self.cell.interface
        raw, output = interface.head_parameters.linear, self.cell.to_output
        size, gates = self.cell.controller.output_size, len(first.bias)
        none = first.below.new_empty(0, gates, size)
        return MachineParameters(
            first_weight=first.below,
            upper_weights=_stacked([part.below for part in upper]) if upper else none,
            own_weights=_stacked(own) if own else none,
            biases=_stacked([part.bias for part in parts]),
            interface_weight=raw.weight,
            interface_bias=raw.bias,
            output_weight=output.weight,
            output_bias=output.bias,
        )

    def _plain(self, state: AugmentedState) -> MachineState:
        memory = state.memory
        layers = state.controller.layers if isinstance(state.controller, StackedState) else (state.controller,)
        if isinstance(layers[0], NoState):
            hidden = state.reads.new_zeros(len(layers), len(state.reads), self.cell.controller.output_size)
        else:
            hidden = _stacked([layer.hidden for layer in layers])
        none = hidden.new_empty(0, *hidden.shape[1:])
        return MachineState(
            memory=memory.memory,
            weights=torch.cat([memory.read_weights, memory.write_weights], dim=1),
            reads=state.reads,
            hidden=hidden,
            cell=_stacked([layer.cell for layer in layers]) if isinstance(layers[0], LSTMState) else none,
        )

    def _rebuilt(self, before: AugmentedState, last: MachineState) -> AugmentedState:
        memory = self.cell.memory
        read_weights, write_weights = last.weights.split([memory.read_heads, memory.write_heads], dim=1)
        stacked = isinstance(before.controller, StackedState)
        first = before.controller.layers[0] if stacked else before.controller
        layers: list[Any]
        if isinstance(first, NoState):
            layers = [first] * len(self.layers)
        elif not len(last.cell):
            layers = [HiddenState(hidden=hidden) for hidden in last.hidden]
        else:
            layers = [LSTMState(hidden=hidden, cell=cell) for hidden, cell in zip(last.hidden, last.cell, strict=True)]
        return AugmentedState(
            controller=StackedState(layers=tuple(layers)) if stacked else layers[0],
            memory=type(before.memory)(memory=last.memory, read_weights=read_weights, write_weights=write_weights),
            reads=last.reads,
        )


def _stacked(tensors: list[Tensor]) -> Tensor:
    return tensors[0][None] if len(tensors) == 1 else torch.stack(tensors)


class _Layer(NamedTuple):
    """What a layer multiplies its input and its own hidden vector with, and its bias, in the blocks of the contract."""

    below: Tensor
    own: Tensor | None
    bias: Tensor


def _layer(cell: Any) -> _Layer:
    if isinstance(cell, FeedforwardCell):
        return _Layer(cell.layer.weight, None, cell.layer.bias)
    if not isinstance(cell, GRUCell):
        return _Layer(cell.from_input.weight, cell.from_hidden.weight, cell.from_input.bias)
    size = cell.output_size
    nothing = cell.from_input.weight.new_zeros
    blend, candidate = cell.from_hidden.weight.split([2 * size, size])
    bias, own_bias = cell.from_input.bias, cell.from_hidden.bias
    return _Layer(
        torch.cat([cell.from_input.weight, nothing(size, cell.input_size)]),
        torch.cat([blend, nothing(size, size), candidate]),
        torch.cat([bias[: 2 * size] + own_bias[: 2 * size], bias[2 * size :], own_bias[2 * size :]]),
    )
