"""Fusion: how two encoders with DNC memories take their steps, and what they share."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import torch
from jaxtyping import Int
from torch import Tensor, nn

from memtape.core import state_tree
from memtape.core.cell import AnyCell
from memtape.core.single_step import single_step
from memtape.core.unroll import unroll
from memtape.memory.both_contents import BothState
from memtape.memory.dnc import DNCState
from memtape.memory.write_cache import CachedState
from memtape.models.machine.augmented import AugmentedState

Fusion = Literal["late", "shared", "cross"]
FUSIONS = ("late", "shared", "cross")

View = tuple[Int[Tensor, "batch _"], Int[Tensor, " batch"]]
"""The symbols of a view, 0 for padding, and their numbers."""


class TwoEncoders(nn.Module):
    r"""Read two views with two encoders, each with a controller, an interface and read heads of its own.

    "late": each has a memory of its own, and they do not interact. Otherwise they take turns: in each step of time the first
    encoder takes its step, then the second, with the views aligned at their ends; an encoder whose view has not started
    keeps its state. "shared": both write and read one memory, with its usage, precedence, links and last write weights.
    "cross": each writes to contents of its own, $M^{(1)}$ and $M^{(2)}$, with shared usage, precedence, links and last write
    weights, and reads with the same weights from both.

    Args:
        first: the encoder of the first view; its memory is a `DNCMemory`, for "cross" a `BothContents`, with or without a
            write cache.
        second: that of the second view, with a memory of the same kind.
        fusion: "late", "shared" or "cross".
    """

    def __init__(self, first: AnyCell, second: AnyCell, *, fusion: Fusion):
        super().__init__()
        self.first, self.second, self.fusion = first, second, fusion

    def forward(self, views: Sequence[View], states: Sequence[AugmentedState]) -> tuple[AugmentedState, AugmentedState]:
        """Return the states of both encoders after their views, given those before."""
        cells = (self.first, self.second)
        if self.fusion == "late":
            first, second = (
                unroll(cell, symbols, state, lengths=lengths)[1]
                for cell, (symbols, lengths), state in zip(cells, views, states, strict=True)
            )
            return first, second
        now = list(states)
        time = max(symbols.shape[1] for symbols, _ in views)
        aligned = [_at_the_end(symbols, lengths, time) for symbols, lengths in views]
        for t in range(time):
            for turn, cell in enumerate(cells):
                symbols, started = (part[:, t] for part in aligned[turn])
                _, after = single_step(cell, symbols, now[turn])
                now[turn] = state_tree.select(started, after, now[turn])
                now[1 - turn] = _shared(self.fusion, now[turn], now[1 - turn])
        return now[0], now[1]


def contents_of(state: Any) -> Any:
    """Return the state of a memory without that of its write cache."""
    return state.memory if isinstance(state, CachedState) else state


def _at_the_end(symbols: Tensor, lengths: Tensor, time: int) -> tuple[Tensor, Tensor]:
    """Move each row to the end of the time axis, and return it with which of its steps have a symbol."""
    places = torch.arange(time, device=symbols.device) - (time - lengths[:, None])
    inside = places >= 0
    return torch.where(inside, symbols.gather(1, places.clamp(0, symbols.shape[1] - 1)), 0), inside


def _shared(fusion: Fusion, after: AugmentedState, other: AugmentedState) -> AugmentedState:
    """Return the state of one encoder with what it shares with the other, which has just taken its turn."""
    new, old = contents_of(after.memory), contents_of(other.memory)
    memory: DNCState | BothState
    if fusion == "shared":
        memory = dataclasses.replace(new, read_weights=old.read_weights)
    else:
        own = dataclasses.replace(new.own, read_weights=old.own.read_weights, memory=old.own.memory)
        memory = BothState(own=own, other=new.own.memory)
    cached = isinstance(other.memory, CachedState)
    return dataclasses.replace(other, memory=dataclasses.replace(other.memory, memory=memory) if cached else memory)
