"""Whole sparse machine: hand a cell with a sparse memory to its fused twins, which run whole sequences."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import FusedRun
from memtape.kernels.sam import TWINS, SparseForm, SparseState
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
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences


def fused_sam(cell: AugmentedCell, backend: str) -> FusedRun[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run, controller = TWINS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    interface: Any = cell.interface
    linked = type(memory) is SparseComputerMemory and type(interface) is SparseComputerInterface
    alone = type(memory) is SparseAccessMemory and type(interface) is SparseAccessInterface
    if run is None or controller is None or not (linked or alone) or not memory.sparse:
        return None
    if alone:
        form = _form(memory, interface, controller)
        return FusedSequences(run, form, cell, controller, SparseState, _tensors, _rebuilt)
    form = _form(memory.access, interface.access, controller)
    parameters = partial(_with_modes, interface)
    return FusedSequences(
        run, form, cell, controller, SparseState, _tensors_with_links, _rebuilt_with_links, parameters
    )


def _form(memory: Any, interface: Any, controller: FusedController) -> SparseForm:
    clip = interface.head_parameters.clip
    return SparseForm(
        controller=controller.kind,
        shortcuts=controller.shortcuts,
        nearest=memory.nearest,
        approximate=memory.neighbours == "approximate",
        squash=interface.squash,
        strengths=interface.strengths,
        threshold=memory.threshold,
        clip=math.inf if clip is None else clip,
    )


def _tensors(memory: SparseAccessState) -> Mapping[str, Tensor]:
    no_links = memory.usage.new_empty(*memory.usage.shape, 0)
    of_slots = ("before_places", "before_weights", "after_places", "after_weights")
    return {
        "memory": memory.memory,
        "read_weights": memory.read_weights,
        "usage": memory.usage,
        **dict.fromkeys(of_slots, no_links),
        **dict.fromkeys(("last_places", "last_weights"), no_links[:, 0]),
    }


def _rebuilt(last: SparseState) -> SparseAccessState:
    return SparseAccessState(memory=last.memory, read_weights=last.read_weights, usage=last.usage)


def _tensors_with_links(memory: SparseComputerState) -> Mapping[str, Tensor]:
    links: Any = memory.links
    return {
        "memory": memory.memory,
        "read_weights": memory.read_weights,
        "usage": memory.usage,
        "before_places": links.before.places,
        "before_weights": links.before.weights,
        "after_places": links.after.places,
        "after_weights": links.after.weights,
        "last_places": links.last.places,
        "last_weights": links.last.weights,
    }


def _rebuilt_with_links(last: SparseState) -> SparseComputerState:
    links = LinkListState(
        before=SlotList(places=last.before_places, weights=last.before_weights),
        after=SlotList(places=last.after_places, weights=last.after_weights),
        last=SlotList(places=last.last_places, weights=last.last_weights),
    )
    return SparseComputerState(memory=last.memory, read_weights=last.read_weights, usage=last.usage, links=links)


def _with_modes(interface: Any) -> tuple[Tensor, Tensor]:
    """Return weight and bias of an interface with read modes, which stand before the strengths."""
    access, modes = interface.access.head_parameters, interface.modes.linear
    before = sum(size for name, size in zip(access.names, access.sizes, strict=True) if name != "strengths")
    weight, bias = access.linear.weight, access.linear.bias
    return (
        torch.cat([weight[:before], modes.weight, weight[before:]]),
        torch.cat([bias[:before], modes.bias, bias[before:]]),
    )
