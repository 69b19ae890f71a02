"""Whole machine: hand an augmented cell that is a Turing machine to its fused twins, which run whole sequences."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import Twin
from memtape.memory import ContentInterface, ContentMemory, TuringInterface, TuringMemory
from memtape.models.augmented import AugmentedCell, AugmentedState
from memtape.models.whole_controller import WholeController
from memtape.ops.turing_machine import TWINS, MachineForm, MachineState, TuringMachine


def whole_machine(cell: AugmentedCell, backend: str) -> Twin[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run = TWINS.get(backend)
    controller = WholeController.of(cell)
    by_place = type(cell.memory) is TuringMemory and type(cell.interface) is TuringInterface
    by_content = type(cell.memory) is ContentMemory and type(cell.interface) is ContentInterface
    one_after_another = by_place and cell.memory.sequential_heads
    if run is None or controller is None or not (by_place or by_content) or one_after_another:
        return None
    return None if controller.shortcuts else _WholeMachine(run, cell, controller)


@dataclass(frozen=True)
class _WholeMachine:
    """The twin of one machine: reads its parameters and state as plain tensors, and rebuilds the state."""

    run: TuringMachine
    cell: AugmentedCell
    controller: WholeController

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        parameters = self.controller.parameters(self.cell)
        ys, last = self.run(self._form(), parameters, self._plain(state), xs, lengths)
        if torch.is_autocast_enabled(xs.device.type):
            ys = ys.to(torch.get_autocast_dtype(xs.device.type))
        return ys, self._rebuilt(state, last)

    def _form(self) -> MachineForm:
        memory: Any = self.cell.memory
        interface: Any = self.cell.interface
        by_place = isinstance(memory, TuringMemory)
        clip = interface.head_parameters.clip
        return MachineForm(
            controller=self.controller.kind,
            read_heads=memory.read_heads,
            write_heads=memory.write_heads,
            shift_range=interface.offsets // 2 if by_place else 0,
            location=by_place,
            cosine=memory.similarity == "cosine",
            read_first=memory.read_first,
            squash=interface.squash,
            clip=math.inf if clip is None else clip,
        )

    def _plain(self, state: AugmentedState) -> MachineState:
        memory = state.memory
        return MachineState(
            memory=memory.memory,
            weights=torch.cat([memory.read_weights, memory.write_weights], dim=1),
            reads=state.reads,
            **self.controller.plain(state),
        )

    def _rebuilt(self, before: AugmentedState, last: MachineState) -> AugmentedState:
        memory = self.cell.memory
        read_weights, write_weights = last.weights.split([memory.read_heads, memory.write_heads], dim=1)
        return AugmentedState(
            controller=self.controller.rebuilt(before.controller, last.hidden, last.cell),
            memory=type(before.memory)(memory=last.memory, read_weights=read_weights, write_weights=write_weights),
            reads=last.reads,
        )
