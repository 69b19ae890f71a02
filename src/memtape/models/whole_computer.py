"""Whole computer: hand an augmented cell that is a Differentiable Neural Computer to its fused twins."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from memtape.core.cell import Twin
from memtape.memory import DenseLinks, DNCInterface, DNCMemory, DNCState, LinkState
from memtape.models.augmented import AugmentedCell, AugmentedState
from memtape.models.whole_controller import WholeController
from memtape.ops.dnc import TWINS, Computer, ComputerForm, ComputerState


def whole_computer(cell: AugmentedCell, backend: str) -> Twin[AugmentedState] | None:
    """Return the fused twin of a machine on a backend, None if it has parts that no twin knows."""
    run = TWINS.get(backend)
    controller = WholeController.of(cell)
    links = cell.memory.links if isinstance(cell.memory, DNCMemory) else None
    if (
        run is None
        or controller is None
        or not isinstance(links, DenseLinks)
        or type(cell.interface) is not DNCInterface
    ):
        return None
    return _WholeComputer(run, cell, controller)


@dataclass(frozen=True)
class _WholeComputer:
    """The twin of one machine: reads its parameters and state as plain tensors, and rebuilds the state."""

    run: Computer
    cell: AugmentedCell
    controller: WholeController

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        parameters = self.controller.parameters(self.cell)
        ys, last = self.run(self._form(), parameters, self._plain(state), xs, lengths)
        if torch.is_autocast_enabled(xs.device.type):
            ys = ys.to(torch.get_autocast_dtype(xs.device.type))
        return ys, self._rebuilt(state, last)

    def _form(self) -> ComputerForm:
        memory: Any = self.cell.memory
        interface: Any = self.cell.interface
        clip = interface.head_parameters.clip
        return ComputerForm(
            controller=self.controller.kind,
            shortcuts=self.controller.shortcuts,
            oneplus=interface.strengths == "oneplus",
            squash=interface.squash,
            masked=interface.masked,
            sharpen=interface.sharpen_links,
            deallocate=memory.deallocate,
            usage_gradient=memory.usage_gradient,
            clip=math.inf if clip is None else clip,
            mask_floor=interface.mask_floor,
            usage_epsilon=memory.usage_epsilon,
            norm_epsilon=memory.norm_epsilon,
            product_epsilon=memory.product_epsilon,
        )

    def _plain(self, state: AugmentedState) -> ComputerState:
        memory = state.memory
        return ComputerState(
            memory=memory.memory,
            read_weights=memory.read_weights,
            write_weights=memory.write_weights,
            usage=memory.usage,
            links=memory.links.links,
            precedence=memory.links.precedence,
            reads=state.reads,
            **self.controller.plain(state),
        )

    def _rebuilt(self, before: AugmentedState, last: ComputerState) -> AugmentedState:
        return AugmentedState(
            controller=self.controller.rebuilt(before.controller, last.hidden, last.cell),
            memory=DNCState(
                memory=last.memory,
                read_weights=last.read_weights,
                write_weights=last.write_weights,
                usage=last.usage,
                links=LinkState(links=last.links, precedence=last.precedence),
            ),
            reads=last.reads,
        )
