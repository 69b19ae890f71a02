"""Whole sparse machine: hand a cell with a Sparse Access Memory to its fused twins, which run whole sequences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import Twin
from memtape.memory import SparseAccessInterface, SparseAccessMemory, SparseAccessState
from memtape.models.augmented import AugmentedCell, AugmentedState
from memtape.models.machine_parts import KINDS, known_layers, parameters_of, plain_controller, rebuilt_controller
from memtape.ops.sparse_machine import TWINS, SparseForm, SparseMachine, SparseState


def whole_sparse_machine(cell: AugmentedCell, backend: str, *, approximate: bool) -> Twin[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows.

    Args:
        cell: the machine.
        backend: the backend.
        approximate: whether nearest slots may be looked for in a part of a large memory.
    """
    run, layers = TWINS.get(backend), known_layers(cell)
    known = type(cell.memory) is SparseAccessMemory and type(cell.interface) is SparseAccessInterface
    if run is None or layers is None or not known or not cell.memory.sparse:
        return None
    return _WholeMachine(run, cell, layers, approximate)


@dataclass(frozen=True)
class _WholeMachine:
    """The twin of one machine: reads its parameters and state as plain tensors, and rebuilds the state."""

    run: SparseMachine
    cell: AugmentedCell
    layers: Sequence[Any]
    approximate: bool

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        parameters = parameters_of(self.cell, self.layers)
        ys, last = self.run(self._form(), parameters, self._plain(state), xs, lengths)
        if torch.is_autocast_enabled(xs.device.type):
            ys = ys.to(torch.get_autocast_dtype(xs.device.type))
        return ys, AugmentedState(
            controller=rebuilt_controller(state.controller, last.hidden, last.cell),
            memory=SparseAccessState(memory=last.memory, read_weights=last.read_weights, usage=last.usage),
            reads=last.reads,
        )

    def _form(self) -> SparseForm:
        memory: Any = self.cell.memory
        interface: Any = self.cell.interface
        clip = interface.head_parameters.clip
        return SparseForm(
            controller=KINDS[type(self.layers[0])],
            nearest=memory.nearest,
            approximate=self.approximate,
            squash=interface.squash,
            strengths=interface.strengths,
            threshold=memory.threshold,
            clip=math.inf if clip is None else clip,
        )

    def _plain(self, state: AugmentedState) -> SparseState:
        memory = state.memory
        hidden, cell = plain_controller(state.controller, state.reads, self.cell.controller.output_size)
        return SparseState(
            memory=memory.memory,
            read_weights=memory.read_weights,
            usage=memory.usage,
            reads=state.reads,
            hidden=hidden,
            cell=cell,
        )
