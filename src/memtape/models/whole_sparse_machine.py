"""Whole sparse machine: hand a cell with a Sparse Access Memory to its fused twins, which run whole sequences."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import Twin
from memtape.memory import SparseAccessInterface, SparseAccessMemory, SparseAccessState
from memtape.models.augmented import AugmentedCell, AugmentedState
from memtape.models.whole_controller import WholeController
from memtape.ops.sparse_machine import TWINS, SparseForm, SparseMachine, SparseState


def whole_sparse_machine(cell: AugmentedCell, backend: str) -> Twin[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run, controller = TWINS.get(backend), WholeController.of(cell)
    known = type(cell.memory) is SparseAccessMemory and type(cell.interface) is SparseAccessInterface
    if run is None or controller is None or not known or not cell.memory.sparse:
        return None
    return _WholeMachine(run, cell, controller)


@dataclass(frozen=True, eq=False)
class _WholeMachine:
    """The twin of one machine: reads its parameters and state as plain tensors, and rebuilds the state."""

    run: SparseMachine
    cell: AugmentedCell
    controller: WholeController

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        parameters = self.controller.parameters(self.cell)
        ys, last = self.run(self._form(), parameters, self._plain(state), xs, lengths)
        if torch.is_autocast_enabled(xs.device.type):
            ys = ys.to(torch.get_autocast_dtype(xs.device.type))
        return ys, AugmentedState(
            controller=self.controller.rebuilt(state.controller, last.hidden, last.cell),
            memory=SparseAccessState(memory=last.memory, read_weights=last.read_weights, usage=last.usage),
            reads=last.reads,
        )

    def _form(self) -> SparseForm:
        memory: Any = self.cell.memory
        interface: Any = self.cell.interface
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

    def _plain(self, state: AugmentedState) -> SparseState:
        memory = state.memory
        return SparseState(
            memory=memory.memory,
            read_weights=memory.read_weights,
            usage=memory.usage,
            reads=state.reads,
            **self.controller.plain(state),
        )
