"""Layers: a stack of networks that need whole sequences."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks, state_tree
from memtape.core.state import state


@state
class LayersState:
    """The states of all layers, the lowest first."""

    layers: tuple[Any, ...]


class Layers(nn.Module):
    """Stack networks that are called like `Recurrent`: each receives the outputs of the one below.

    Use `Stacked` for cells, and this class for parts that need whole sequences, such as `Bidirectional`.

    Args:
        layers: the networks, the lowest first.
        dropout: in training, the probability that an entry passed from one network to the next is dropped.

    Raises:
        ValueError: there is no network, the sizes of two neighbours differ, or the dropout is outside 0..1.
    """

    def __init__(self, layers: Sequence[Any], *, dropout: float = 0.0):
        super().__init__()
        checks.probabilities(dropout=dropout)
        if not layers:
            raise ValueError("layers is empty, but a stack needs at least one network; give one or more")
        for number, (below, above) in enumerate(pairwise(layers)):
            if below.output_size != above.input_size:
                raise ValueError(
                    f"layer {number + 1} takes inputs of size {above.input_size}, but layer {number} below it returns "
                    f"{below.output_size}; make the two sizes equal"
                )
        self.layers: Sequence[Any] = nn.ModuleList(layers)  # type: ignore[assignment]
        self.dropout = dropout
        self.input_size: int = layers[0].input_size
        self.output_size: int = layers[-1].output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LayersState:
        """Return the initial states of all layers."""
        return LayersState(
            layers=tuple(layer.init_state(batch_size, device=device, dtype=dtype) for layer in self.layers)
        )

    def forward(
        self,
        xs: Tensor,
        state: LayersState | None = None,
        *,
        collect: Callable[[LayersState], Any] | None = None,
        **options: Any,
    ) -> Any:
        """Run over whole sequences.

        Args:
            xs: the inputs of the lowest layer.
            state: the initial states of all layers; None for their own.
            collect: function that selects what to return of the states of each step.
            options: other options, which are passed to every layer.

        Returns:
            The outputs of the highest layer and the final states; with `collect` also what it selected, stacked along
            axis 1.
        """
        states, traces = [], []
        if collect is not None:
            options["collect"] = _whole
        for number, layer in enumerate(self.layers):
            if number and self.dropout:
                xs = functional.dropout(xs, self.dropout, self.training)
            xs, new, *trace = layer(xs, state and state.layers[number], **options)
            states.append(new)
            traces += trace
        final = LayersState(layers=tuple(states))
        if collect is None:
            return xs, final
        return xs, final, state_tree.over_steps(collect, LayersState(layers=tuple(traces)))


def _whole(state: Any) -> Any:
    return state
