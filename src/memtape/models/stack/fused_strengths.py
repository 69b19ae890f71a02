"""Fused strengths: the fused kernel of a recurrent network with a strength stack, queue or deque."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from memtape.core.cell import AnyCell, FusedRun
from memtape.kernels.strength_stack import KERNELS, StrengthStackForm
from memtape.kernels.strength_stack import StrengthStackState as PlainState
from memtape.memory import StrengthStack, StrengthStackInterface, StrengthStackState
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences


def fused_strength_stack(cell: AnyCell, backend: str) -> FusedRun[AugmentedState] | None:
    """Return the fused kernel of a machine on a backend, None if the kernel does not support a part of it.

    There is none with a largest depth, which has to be checked in each step.
    """
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    known = type(memory) is StrengthStack and type(cell.interface) is StrengthStackInterface
    if run is None or controller is None or not known or memory.max_depth is not None:
        return None
    form = StrengthStackForm(
        controller=controller.kind,
        shortcuts=controller.shortcuts,
        activation=controller.activation,
        access=memory.access,
    )
    return FusedSequences(run, form, cell, controller, PlainState, _tensors, _rebuilt)


def _tensors(memory: Any) -> Mapping[str, Tensor]:
    return {"values": memory.values, "strengths": memory.strengths}


def _rebuilt(last: Any) -> StrengthStackState:
    return StrengthStackState(values=last.values, strengths=last.strengths)
