"""Whole computer: hand an augmented cell that is a Differentiable Neural Computer to its fused twins."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from memtape.core.cell import FusedRun
from memtape.kernels.dnc import TWINS, ComputerForm, ComputerState
from memtape.memory import DenseLinks, DNCInterface, DNCMemory, DNCState, LinkState
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences


def fused_dnc(cell: AugmentedCell, backend: str) -> FusedRun[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run = TWINS.get(backend)
    controller = FusedController.of(cell)
    links = cell.memory.links if isinstance(cell.memory, DNCMemory) else None
    known = isinstance(links, DenseLinks) and type(cell.interface) is DNCInterface
    if run is None or controller is None or not known:
        return None
    return FusedSequences(run, _form(cell, controller), cell, controller, ComputerState, _tensors, _rebuilt)


def _form(cell: AugmentedCell, controller: FusedController) -> ComputerForm:
    memory: Any = cell.memory
    interface: Any = cell.interface
    clip = interface.head_parameters.clip
    return ComputerForm(
        controller=controller.kind,
        shortcuts=controller.shortcuts,
        oneplus=interface.strengths == "oneplus",
        squash=interface.squash,
        masked=interface.masked,
        sharpen=interface.sharpen_links,
        deallocate=memory.deallocate,
        usage_gradient=memory.usage_gradient,
        clip=math.inf if clip is None else clip,
        mask_floor=interface.mask_floor,
        usage_epsilon=memory.usage_epsilon,
        usage_tolerance=memory.usage_tolerance,
        norm_epsilon=memory.norm_epsilon,
        product_epsilon=memory.product_epsilon,
    )


def _tensors(memory: Any) -> Mapping[str, Tensor]:
    return {
        "memory": memory.memory,
        "read_weights": memory.read_weights,
        "write_weights": memory.write_weights,
        "usage": memory.usage,
        "links": memory.links.links,
        "precedence": memory.links.precedence,
    }


def _rebuilt(last: ComputerState) -> DNCState:
    return DNCState(
        memory=last.memory,
        read_weights=last.read_weights,
        write_weights=last.write_weights,
        usage=last.usage,
        links=LinkState(links=last.links, precedence=last.precedence),
    )
