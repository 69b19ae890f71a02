"""Whole sparse machine: hand a cell with a sparse memory to its fused twins, which run whole sequences."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import Twin
from memtape.memory import (
    LinkListState,
    SlotList,
    SparseAccessInterface,
    SparseAccessMemory,
    SparseAccessState,
    SparseComputerInterface,
    SparseComputerMemory,
    SparseComputerState,
)
from memtape.models.augmented import AugmentedCell, AugmentedState
from memtape.models.whole_controller import WholeController
from memtape.ops.sparse_machine import TWINS, SparseForm, SparseMachine, SparseState

KNOWN: dict[type, type] = {SparseAccessMemory: SparseAccessInterface, SparseComputerMemory: SparseComputerInterface}
"""The memories that the twins know, each with its interface."""


def whole_sparse_machine(cell: AugmentedCell, backend: str) -> Twin[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run, controller = TWINS.get(backend), WholeController.of(cell)
    memory: Any = cell.memory
    known = type(cell.interface) is KNOWN.get(type(memory))
    if run is None or controller is None or not known or not memory.sparse:
        return None
    return _WholeMachine(run, cell, controller, linked=isinstance(memory, SparseComputerMemory))


@dataclass(frozen=True, eq=False)
class _WholeMachine:
    """The twin of one machine: reads its parameters and state as plain tensors, and rebuilds the state."""

    run: SparseMachine
    cell: AugmentedCell
    controller: WholeController
    linked: bool
    """Whether heads follow links."""

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        parameters = self.controller.parameters(self.cell, self._raw() if self.linked else None)
        ys, last = self.run(self._form(), parameters, self._plain(state), xs, lengths)
        if torch.is_autocast_enabled(xs.device.type):
            ys = ys.to(torch.get_autocast_dtype(xs.device.type))
        return ys, AugmentedState(
            controller=self.controller.rebuilt(state.controller, last.hidden, last.cell),
            memory=self._rebuilt(last),
            reads=last.reads,
        )

    def _form(self) -> SparseForm:
        memory: Any = self.cell.memory
        interface: Any = self.cell.interface
        if self.linked:
            memory, interface = memory.access, interface.access
        clip = interface.head_parameters.clip
        return SparseForm(
            controller=self.controller.kind,
            shortcuts=self.controller.shortcuts,
            nearest=memory.nearest,
            approximate=memory.neighbours == "approximate",
            squash=interface.squash,
            strengths=interface.strengths,
            threshold=memory.threshold,
            clip=math.inf if clip is None else clip,
        )

    def _raw(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of an interface with read modes, which stand before the strengths."""
        interface: Any = self.cell.interface
        access, modes = interface.access.head_parameters, interface.modes.linear
        before = sum(size for name, size in zip(access.names, access.sizes, strict=True) if name != "strengths")
        weight, bias = access.linear.weight, access.linear.bias
        return (
            torch.cat([weight[:before], modes.weight, weight[before:]]),
            torch.cat([bias[:before], modes.bias, bias[before:]]),
        )

    def _plain(self, state: AugmentedState) -> SparseState:
        memory = state.memory
        if self.linked:
            of_slots = {
                "before_places": memory.links.before.places,
                "before_weights": memory.links.before.weights,
                "after_places": memory.links.after.places,
                "after_weights": memory.links.after.weights,
            }
            last = memory.links.last
        else:
            nobody = memory.usage.new_empty(*memory.usage.shape, 0)
            of_slots = dict.fromkeys(("before_places", "before_weights", "after_places", "after_weights"), nobody)
            last = SlotList(places=nobody[:, 0], weights=nobody[:, 0])
        return SparseState(
            memory=memory.memory,
            read_weights=memory.read_weights,
            usage=memory.usage,
            **of_slots,
            last_places=last.places,
            last_weights=last.weights,
            reads=state.reads,
            **self.controller.plain(state),
        )

    def _rebuilt(self, last: SparseState) -> SparseAccessState | SparseComputerState:
        if not self.linked:
            return SparseAccessState(memory=last.memory, read_weights=last.read_weights, usage=last.usage)
        links = LinkListState(
            before=SlotList(places=last.before_places, weights=last.before_weights),
            after=SlotList(places=last.after_places, weights=last.after_weights),
            last=SlotList(places=last.last_places, weights=last.last_weights),
        )
        return SparseComputerState(memory=last.memory, read_weights=last.read_weights, usage=last.usage, links=links)
