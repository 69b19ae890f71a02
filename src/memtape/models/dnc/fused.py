"""Fused DNC: the fused kernel of a Differentiable Neural Computer."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from memtape import memory as memories
from memtape.core.cell import AnyCell
from memtape.kernels.dnc import KERNELS, DNCForm, DNCState
from memtape.memory import DenseLinks, DNCInterface, DNCMemory, LinkState
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences, form_of


def fused_dnc(cell: AnyCell, backend: str) -> FusedSequences | None:
    """Return the fused kernel of a machine on a backend, None if the kernel does not support a part of it."""
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    interface: Any = cell.interface
    linked = type(memory) is DNCMemory and type(memory.links) is DenseLinks
    if run is None or controller is None or not linked or type(interface) is not DNCInterface:
        return None
    form = form_of(
        DNCForm,
        controller,
        interface,
        oneplus=interface.strengths == "oneplus",
        masked=interface.masked,
        sharpen=interface.sharpen_links,
        deallocate=memory.deallocate,
        usage_gradient=memory.usage_gradient,
        mask_floor=interface.mask_floor,
        usage_epsilon=memory.usage_epsilon,
        usage_tolerance=memory.usage_tolerance,
        norm_epsilon=memory.norm_epsilon,
        product_epsilon=memory.product_epsilon,
    )
    return FusedSequences(run, form, cell, controller, DNCState, _tensors, _rebuilt)


def _tensors(memory: Any) -> Mapping[str, Tensor]:
    return {
        "memory": memory.memory,
        "read_weights": memory.read_weights,
        "write_weights": memory.write_weights,
        "usage": memory.usage,
        "links": memory.links.links,
        "precedence": memory.links.precedence,
    }


def _rebuilt(last: DNCState) -> memories.DNCState:
    return memories.DNCState(
        memory=last.memory,
        read_weights=last.read_weights,
        write_weights=last.write_weights,
        usage=last.usage,
        links=LinkState(links=last.links, precedence=last.precedence),
    )
