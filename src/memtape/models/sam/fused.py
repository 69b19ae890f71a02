"""Fused SAM: the fused kernel of a machine with a sparse memory, with links (SDNC) or without."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import AnyCell
from memtape.kernels.sam import KERNELS, SAMForm, SAMState
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
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences, form_of

LINKS = ("before_places", "before_weights", "after_places", "after_weights", "last_places", "last_weights")
FEW = 4096
"""Largest number of slots that approximate search compares one by one."""


def fused_sam(cell: AnyCell, backend: str) -> FusedSequences | None:
    """Return the fused kernel of a machine on a backend, None if the kernel does not support a part of it."""
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    interface: Any = cell.interface
    linked = type(memory) is SparseComputerMemory and type(interface) is SparseComputerInterface
    alone = type(memory) is SparseAccessMemory and type(interface) is SparseAccessInterface
    if run is None or controller is None or not (linked or alone) or not memory.sparse:
        return None
    access = memory.access if linked else memory
    form = form_of(
        SAMForm,
        controller,
        interface.access if linked else interface,
        nearest=access.nearest,
        few=FEW if access.neighbours == "approximate" else 0,
        strengths=interface.access.strengths if linked else interface.strengths,
        threshold=access.threshold,
    )
    if alone:
        return FusedSequences(run, form, cell, controller, SAMState, _tensors, _rebuilt)
    parameters = partial(_with_modes, interface)
    return FusedSequences(run, form, cell, controller, SAMState, _linked_tensors, _linked, parameters)


def _accessed(memory: Any) -> dict[str, Tensor]:
    return {"memory": memory.memory, "read_weights": memory.read_weights, "usage": memory.usage}


def _tensors(memory: SparseAccessState) -> Mapping[str, Tensor]:
    none = memory.usage.new_empty(*memory.usage.shape, 0)
    return _accessed(memory) | {name: none[:, 0] if name.startswith("last") else none for name in LINKS}


def _rebuilt(last: SAMState) -> SparseAccessState:
    return SparseAccessState(**_accessed(last))


def _linked_tensors(memory: SparseComputerState) -> Mapping[str, Tensor]:
    before, after, last = memory.links.before, memory.links.after, memory.links.last
    links = (before.places, before.weights, after.places, after.weights, last.places, last.weights)
    return _accessed(memory) | dict(zip(LINKS, links, strict=True))


def _linked(last: SAMState) -> SparseComputerState:
    links = LinkListState(
        before=SlotList(places=last.before_places, weights=last.before_weights),
        after=SlotList(places=last.after_places, weights=last.after_weights),
        last=SlotList(places=last.last_places, weights=last.last_weights),
    )
    return SparseComputerState(**_accessed(last), links=links)


def _with_modes(interface: Any) -> tuple[Tensor, Tensor]:
    """Return weight and bias of an interface with read modes, which come before the strengths."""
    access, modes = interface.access.head_parameters, interface.modes.linear
    before = sum(size for name, size in zip(access.names, access.sizes, strict=True) if name != "strengths")
    weight, bias = access.linear.weight, access.linear.bias
    return (
        torch.cat([weight[:before], modes.weight, weight[before:]]),
        torch.cat([bias[:before], modes.bias, bias[before:]]),
    )
