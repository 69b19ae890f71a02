"""Fused nsrnn: the fused kernel of a recurrent network with a nondeterministic stack."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from memtape.core.cell import AnyCell, FusedRun
from memtape.kernels.nsrnn import KERNELS, NSRNNForm, NSRNNState
from memtape.memory import NondeterministicStack, NondeterministicStackInterface
from memtape.memory.nondeterministic_stack import LimitedStackState, NondeterministicStackState
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences

PARTS = ("table", "sources", "tops", "exponent")


def fused_nsrnn(cell: AnyCell, backend: str) -> FusedRun[AugmentedState] | None:
    """Return the fused kernel of a machine on a backend, None if the kernel does not support a part of it."""
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    interface: Any = cell.interface
    known = type(memory) is NondeterministicStack and type(interface) is NondeterministicStackInterface
    if run is None or controller is None or not known:
        return None
    form = NSRNNForm(
        controller=controller.kind,
        shortcuts=controller.shortcuts,
        activation=controller.activation,
        normalised=interface.normalised,
        reading=memory.reading,
    )
    rebuilt = _grown if memory.window is None else _limited
    return FusedSequences(run, form, cell, controller, NSRNNState, _tensors, rebuilt)


def _tensors(memory: Any) -> Mapping[str, Tensor]:
    return {name: getattr(memory, name) for name in PARTS}


def _grown(last: Any) -> NondeterministicStackState:
    return NondeterministicStackState(**_tensors(last))


def _limited(last: Any) -> LimitedStackState:
    return LimitedStackState(**_tensors(last))
