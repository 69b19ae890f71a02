"""Fused sequences: pass the parameters and the state of a machine to a fused kernel, and rebuild its state."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.memory import StoredPrograms
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.fused_controller import Attention, FusedController
from memtape.models.machine.fused_output import outputs


class Cached(NamedTuple):
    """Attention over cached hidden vectors, the cache, and the steps that fill it."""

    attention: Attention
    cache: Float[Tensor, "batch cached hidden"]
    places: Int[Tensor, "batch time"]
    """Where each step stores the hidden vector before it; -1 for nowhere."""


@dataclass(frozen=True, eq=False)
class FusedSequences:
    """The fused kernel of one machine, which runs whole sequences."""

    run: Callable[..., tuple[Tensor, Any]]
    """The kernel: it maps form, parameters, plain state, inputs and lengths to outputs and plain state."""
    form: Any
    """The machine's options for the kernel."""
    cell: AugmentedCell
    controller: FusedController
    state: Callable[..., Any]
    """Builds a plain state from tensors by name."""
    tensors: Callable[[Any], Mapping[str, Tensor]]
    """Returns the tensors of a state of the memory, by their names in the plain state."""
    memory: Callable[[Any], Any]
    """Returns the state of the memory from a plain state."""
    interface: Callable[[], tuple[Tensor, Tensor]] | None = None
    """Returns weight and bias of the interface; None if they are those of a single layer."""

    def __call__(self, xs: Tensor, state: AugmentedState, lengths: Tensor | None) -> tuple[Tensor, AugmentedState]:
        """Run over whole sequences."""
        ys, last, _ = self.scheduled(xs, state, lengths)
        return ys, last

    def scheduled(
        self,
        xs: Tensor,
        state: AugmentedState,
        lengths: Tensor | None,
        accesses: Tensor | None = None,
        cached: Cached | None = None,
    ) -> tuple[Tensor, AugmentedState, Tensor]:
        """Run over whole sequences; in steps without an access the memory and the read vectors stay the same.

        Args:
            xs: the inputs.
            state: the state before the first step.
            lengths: number of valid steps of each row; None for all.
            accesses: in which steps each row accesses the memory; None for all.
            cached: attention over cached hidden vectors; None for none.

        Returns:
            The outputs, the last state, and the last cache.
        """
        interface = self.interface() if self.interface else None
        attention, cache, places = (None, None, None) if cached is None else cached
        parameters = self.controller.parameters(self.cell, interface, attention)
        plain = self.plain(state, cache)
        ys, last = self.run(self.form, parameters, plain, xs, lengths, accesses=accesses, places=places)
        ys = outputs(self.cell, ys, lengths)
        if torch.is_autocast_enabled(xs.device.type) and ys.dtype != torch.float64:  # autocast leaves float64 as it is
            ys = ys.to(torch.get_autocast_dtype(xs.device.type))
        state = AugmentedState(
            controller=self.controller.rebuilt(state.controller, last.hidden, last.cell),
            memory=self.memory(last),
            reads=last.reads,
        )
        return ys, state, last.cache

    def plain(self, state: AugmentedState, cache: Tensor | None = None) -> Any:
        """Return a state in the kernel's format."""
        layers = self.controller.plain(state)
        if cache is None:
            cache = layers["hidden"].new_empty(state.reads.shape[0], 0, self.controller.size)
        return self.state(**self.tensors(state.memory), reads=state.reads, **layers, cache=cache)


def form_of(kind: Callable[..., Any], controller: FusedController, interface: Any, **options: Any) -> Any:
    """Return the form of a machine: the options of all machines, and its own."""
    clip, linear = interface.head_parameters.clip, interface.head_parameters.linear
    if isinstance(linear, StoredPrograms):
        options["squash_queries"] = linear.options.addressing == "cosine-of-tanh"
    return kind(
        controller=controller.kind,
        shortcuts=controller.shortcuts,
        activation=controller.activation,
        squash=interface.squash,
        clip=math.inf if clip is None else clip,
        **options,
    )
