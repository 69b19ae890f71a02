"""Fused stackrnn: the fused kernel of a recurrent network with superposition stacks."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from memtape.core.cell import AnyCell, FusedRun
from memtape.kernels.stackrnn import KERNELS, StackRNNForm, StackRNNState
from memtape.memory import SuperpositionStack, SuperpositionStackInterface, SuperpositionStackState
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences


def fused_stackrnn(cell: AnyCell, backend: str) -> FusedRun[AugmentedState] | None:
    """Return the fused kernel of a machine on a backend, None if the kernel does not support a part of it.

    There is none with a largest depth, which has to be checked in each step, and none of rounded actions.
    """
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    interface: Any = cell.interface
    stacks = type(memory) is SuperpositionStack and type(interface) is SuperpositionStackInterface
    if run is None or controller is None or not stacks:
        return None
    if memory.max_depth is not None or (memory.round_actions and not memory.training):
        return None
    form = StackRNNForm(
        controller=controller.kind,
        shortcuts=controller.shortcuts,
        activation=controller.activation,
        visible=memory.visible,
        no_op=interface.no_op,
        joint_actions=interface.joint_actions,
        push_activation=interface.push_activation,
        empty=memory.empty,
    )
    return FusedSequences(run, form, cell, controller, StackRNNState, _tensors, _rebuilt)


def _tensors(memory: Any) -> Mapping[str, Tensor]:
    return {"cells": memory.cells}


def _rebuilt(last: Any) -> SuperpositionStackState:
    return SuperpositionStackState(cells=last.cells)
