"""Whole machine: hand an augmented cell that is a Turing machine to its fused twins, which run whole sequences."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import FusedRun
from memtape.kernels.ntm import TWINS, MachineForm, MachineState
from memtape.memory import (
    ContentInterface,
    ContentMemory,
    ContentState,
    TuringInterface,
    TuringMemory,
    TuringState,
)
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences


def fused_ntm(cell: AugmentedCell, backend: str) -> FusedRun[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run = TWINS.get(backend)
    controller = FusedController.of(cell)
    by_place = type(cell.memory) is TuringMemory and type(cell.interface) is TuringInterface
    by_content = type(cell.memory) is ContentMemory and type(cell.interface) is ContentInterface
    one_after_another = by_place and cell.memory.sequential_heads
    if run is None or controller is None or not (by_place or by_content) or one_after_another:
        return None
    if controller.shortcuts:
        return None
    memory: Any = cell.memory

    def rebuilt(last: MachineState) -> TuringState | ContentState:
        read_weights, write_weights = last.weights.split([memory.read_heads, memory.write_heads], dim=1)
        kind = TuringState if by_place else ContentState
        return kind(memory=last.memory, read_weights=read_weights, write_weights=write_weights)

    form = _form(memory, cell.interface, controller, by_place=by_place)
    return FusedSequences(run, form, cell, controller, MachineState, _tensors, rebuilt)


def _form(memory: Any, interface: Any, controller: FusedController, *, by_place: bool) -> MachineForm:
    clip = interface.head_parameters.clip
    return MachineForm(
        controller=controller.kind,
        read_heads=memory.read_heads,
        write_heads=memory.write_heads,
        shift_range=interface.offsets // 2 if by_place else 0,
        location=by_place,
        cosine=memory.similarity == "cosine",
        read_first=memory.read_first,
        squash=interface.squash,
        clip=math.inf if clip is None else clip,
    )


def _tensors(memory: TuringState | ContentState) -> Mapping[str, Tensor]:
    return {"memory": memory.memory, "weights": torch.cat([memory.read_weights, memory.write_weights], dim=1)}
