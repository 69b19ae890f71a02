"""Fused DNC: the fused kernel of a Differentiable Neural Computer, with or without write protection."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from memtape import memory as memories
from memtape.core.cell import AnyCell, FusedRun
from memtape.kernels.dnc import KERNELS, DNCForm, DNCState
from memtape.memory import DenseLinks, DNCInterface, DNCMemory, LinkState, Protected
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_output import weight_and_bias
from memtape.models.machine.fused_sequences import FusedSequences, form_of

SHUT = -1e4
"""A gate with this argument is 0, also in float64."""


def fused_protected(cell: AnyCell, backend: str) -> FusedRun[AugmentedState] | None:
    """Return the fused kernel of a machine whose memory is protected, None if the kernel does not support a part of it.

    It is the kernel of the DNC with write and free gates that are 0, so that nothing is written and no link changes.
    """
    if type(cell) is not AugmentedCell or type(cell.memory) is not Protected:
        return None
    machine = fused_dnc(cell, backend)
    interface: Any = cell.interface
    if machine is None or type(interface.head_parameters.linear) is not nn.Linear or interface.head_parameters.clip:
        return None
    return FusedProtected(dataclasses.replace(machine, interface=partial(_shut, interface)))


@dataclass(frozen=True, eq=False)
class FusedProtected:
    """The fused kernel of a machine whose memory is protected: of the memory's state only the read weights are new."""

    machine: FusedSequences

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        ys, last = self.machine(xs, state, lengths)
        memory = dataclasses.replace(state.memory, read_weights=last.memory.read_weights)
        return ys, dataclasses.replace(last, memory=memory)


def _shut(interface: DNCInterface) -> tuple[Tensor, Tensor]:
    """Return weight and bias of an interface whose write and free gates are 0."""
    parameters: Any = interface.head_parameters
    shut = torch.cat(
        [
            torch.full((size,), name in ("write_gates", "free_gates"))
            for name, size in zip(parameters.names, parameters.sizes, strict=True)
        ]
    ).to(parameters.linear.weight.device)
    weight, bias = weight_and_bias(parameters.linear)
    return torch.where(shut[:, None], 0, weight), torch.where(shut, SHUT, bias)


def fused_dnc(cell: AnyCell, backend: str) -> FusedSequences | None:
    """Return the fused kernel of a machine on a backend, None if the kernel does not support a part of it."""
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory.memory if type(cell.memory) is Protected else cell.memory
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
