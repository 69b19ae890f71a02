"""Bidirectional: bidirectional layers with a readout of every step or of the whole sequence."""

from abc import ABC
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memtape.cells import Bidirectional, Layers
from memtape.core import checks, padding
from memtape.core.cell import AnyCell
from memtape.core.symbols import are_symbols, known, one_hot
from memtape.sharing.shareable import Shareable

SUMMARIES = ("steps", "ends", "mean", "max")
"""The inputs that the readout can have."""


class BothWays(Shareable, ABC):
    """Abstract network of an optional embedding, bidirectional layers and a readout.

    Args:
        cell: the class of the cells.
        configuration: the arguments of the concrete class, by name.
    """

    input_kind: ClassVar[str] = "sequences"
    sees_ahead: ClassVar[bool] = True

    def __init__(self, cell: Callable[[int, int], AnyCell], configuration: Mapping[str, Any]):
        super().__init__()
        self.configuration = dict(configuration)
        self.input_size, self.output_size, self.summary = (
            configuration[name] for name in ("input_size", "output_size", "summary")
        )
        sizes = {name: configuration[name] for name in ("input_size", "output_size", "hidden_size", "layers")}
        hidden, embedding, dropout = (configuration[name] for name in ("hidden_size", "embedding_size", "dropout"))
        checks.at_least(1, **sizes, **({} if embedding is None else {"embedding_size": embedding}))
        checks.one_of(SUMMARIES, summary=self.summary)
        self.embedding = None if embedding is None else nn.Embedding(self.input_size, embedding)
        below = [embedding or self.input_size] + [2 * hidden] * (sizes["layers"] - 1)
        self.layers = Layers([Bidirectional(cell(size, hidden), cell(size, hidden)) for size in below], dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.to_output = nn.Linear(2 * hidden, self.output_size)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> Any:
        """Return the initial states of all layers in both directions."""
        return self.layers.init_state(batch_size, device=device, dtype=dtype)

    def forward(
        self,
        xs: Float[Tensor, "batch time input"] | Int[Tensor, "batch time"],
        state: Any = None,
        *,
        lengths: Int[Tensor, " batch"] | None = None,
        checkpoint_every: int | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Run over whole sequences; the arguments are those of `Recurrent`.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has the wrong shape, dtype, device or value.
        """
        if are_symbols(xs):
            symbols, dtype = known(xs, self.input_size, type(self).__name__), self.to_output.weight.dtype
            xs = one_hot(symbols, self.input_size, dtype) if self.embedding is None else self.embedding(symbols)
        elif self.embedding is not None:
            xs = xs @ self.embedding.weight
        ys, state = self.layers(xs, state, lengths=lengths, checkpoint_every=checkpoint_every)
        ys = self.to_output(self.dropout(self._summed_up(ys, state, lengths)))
        return padding.zero_beyond(ys, lengths), state

    def _summed_up(self, ys: Tensor, state: Any, lengths: Tensor | None) -> Tensor:
        """Return the input of the readout at each step: the outputs of the step, or one vector of the whole sequence."""
        if self.summary == "steps":
            return ys
        if self.summary == "ends":
            top = state.layers[-1]
            whole = torch.cat([top.forwards.hidden, top.backwards.hidden], dim=-1)
        elif self.summary == "mean":
            counts = ys.new_full((ys.shape[0],), ys.shape[1]) if lengths is None else lengths.clamp(min=1).to(ys)
            whole = ys.sum(dim=1) / counts[:, None]
        else:
            inside = None if lengths is None else padding.alive(ys, lengths)[..., None]
            whole = (ys if inside is None else ys.masked_fill(~inside, -torch.inf)).amax(dim=1)
            whole = torch.where(torch.isfinite(whole), whole, 0)
        return whole[:, None].expand_as(ys)
