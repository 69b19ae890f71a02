"""Fused tape: the fused kernel of a tape machine."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core.cell import AnyCell, FusedRun
from memtape.core.state import NoState
from memtape.kernels.tape import KERNELS, TapeForm
from memtape.kernels.tape import TapeState as PlainState
from memtape.memory import JumpState, TapeInterface, TapeMemory, TapeState
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import FusedController
from memtape.models.machine.fused_output import weight_and_bias
from memtape.models.machine.fused_sequences import FusedSequences


def fused_tape(cell: AnyCell, backend: str, *, jump_from_input: bool = False) -> FusedRun[AugmentedState] | None:
    """Return the fused kernel of a tape machine on a backend, None if the kernel does not support a part of it.

    There is none if an MLP computes what the heads write, and none for actions with noise.

    Args:
        cell: the machine.
        backend: name of the backend.
        jump_from_input: whether the inputs have the length of the jumps as an additional last entry.
    """
    if type(cell) is not AugmentedCell:
        return None
    run, controller = KERNELS.get(backend), FusedController.of(cell)
    memory: Any = cell.memory
    interface: Any = cell.interface
    tapes = type(memory) is TapeMemory and type(interface) is TapeInterface
    if run is None or controller is None or not tapes:
        return None
    if len(interface.write_layers) or (interface.gumbel and interface.training):
        return None
    form = TapeForm(
        controller=controller.kind,
        shortcuts=controller.shortcuts,
        activation=controller.activation,
        moves=memory.moves,
        values=interface.values,
    )
    sequences = FusedSequences(
        run, form, cell, controller, PlainState, _tensors, _rebuilt, partial(_interface, interface)
    )
    return FusedTape(sequences, memory, jump_from_input)


@dataclass(frozen=True, eq=False)
class FusedTape:
    """The fused kernel of one tape machine, with the length of the jumps in each step."""

    sequences: FusedSequences
    memory: TapeMemory
    jump_from_input: bool
    """Whether the inputs have the length of the jumps as an additional last entry."""

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        batch, time, _ = xs.shape
        memory = self.memory
        before = state.memory.jumps
        if not isinstance(before, JumpState):
            of_steps = state.reads.new_full((batch, time), memory.jump_length % memory.slots)
        elif not self.jump_from_input:
            of_steps = _cells(before.length, memory.slots)[:, None].expand(batch, time)
        else:
            varying = _last_positive(before.length, xs[..., -1])
            of_steps = _cells(varying[:, 1:], memory.slots)
            after = varying[:, -1] if lengths is None else varying.gather(1, lengths[:, None].long())[:, 0]
            xs = xs[..., :-1]
        ys, last = self.sequences(xs, _with_jumps(state, JumpState(length=of_steps)), lengths)
        return ys, _with_jumps(last, JumpState(length=after) if self.jump_from_input else before)


def _last_positive(first: Float[Tensor, " batch"], given: Float[Tensor, "batch time"]) -> Float[Tensor, "batch times"]:
    """Return the length of a jump before the first step and in each step: the last one above 0 that was given."""
    lengths = torch.cat([first[:, None], given.detach().to(first.dtype).round()], dim=1)
    steps = torch.arange(lengths.shape[1], device=lengths.device)
    return lengths.gather(1, steps.where(lengths > 0, 0).cummax(dim=1).values)


def _cells(lengths: Tensor, slots: int) -> Tensor:
    """Return lengths of jumps as cells of a circular tape."""
    return (lengths.detach().round().long() % slots).to(lengths.dtype)


def _with_jumps(state: AugmentedState, jumps: JumpState | NoState) -> AugmentedState:
    return dataclasses.replace(state, memory=dataclasses.replace(state.memory, jumps=jumps))


def _interface(interface: TapeInterface) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the values and of the actions, whose logits the temperature divides."""
    values, actions = weight_and_bias(interface.to_values), weight_and_bias(interface.to_actions)
    weight, bias = (
        torch.cat([of_values, part / interface.temperature]) for of_values, part in zip(values, actions, strict=True)
    )
    return weight, bias


def _tensors(memory: Any) -> Mapping[str, Tensor]:
    if isinstance(memory.jumps, JumpState):
        jumps = memory.jumps.length if memory.jumps.length.ndim == 2 else memory.jumps.length[:, None]
    else:
        jumps = memory.head_weights.new_zeros(len(memory.head_weights), 1)
    return {"memory": memory.memory, "head_weights": memory.head_weights, "jumps": jumps}


def _rebuilt(last: Any) -> TapeState:
    return TapeState(memory=last.memory, head_weights=last.head_weights, jumps=NoState())
