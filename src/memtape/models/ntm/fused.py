"""Fused NTM: the fused kernel of a Neural Turing Machine."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from memtape.core.cell import AnyCell
from memtape.kernels.ntm import KERNELS, NTMForm, NTMState
from memtape.memory import (
    ContentInterface,
    ContentMemory,
    ContentState,
    TuringInterface,
    TuringMemory,
    TuringState,
)
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_sequences import FusedSequences, form_of


def fused_ntm(cell: AnyCell, backend: str) -> FusedSequences | None:
    """Return the fused kernel of a machine on a backend, None if the kernel does not support a part of it."""
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    interface: Any = cell.interface
    by_location = type(memory) is TuringMemory and type(interface) is TuringInterface
    by_content = type(memory) is ContentMemory and type(interface) is ContentInterface
    one_after_another = by_location and memory.sequential_heads
    if run is None or controller is None or not (by_location or by_content) or one_after_another:
        return None
    form = form_of(
        NTMForm,
        controller,
        interface,
        shift_range=interface.offsets // 2 if by_location else 0,
        location=by_location,
        cosine=memory.similarity == "cosine",
        read_first=memory.read_first,
    )
    kind = TuringState if by_location else ContentState
    return FusedSequences(run, form, cell, controller, NTMState, _tensors, lambda last: kind(**_tensors(last)))


def _tensors(memory: Any) -> Mapping[str, Tensor]:
    return {
        "memory": memory.memory,
        "read_weights": memory.read_weights,
        "write_weights": memory.write_weights,
    }
