"""Bidirectional: bidirectional layers with a readout of every step or of the whole sequence."""

from abc import ABC
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from memtape.cells import Bidirectional, Layers
from memtape.cells.layers import LayersState
from memtape.core import checks, padding
from memtape.core.cell import AnyCell
from memtape.core.integers import Lengths
from memtape.core.packed import packed_as, unpacked
from memtape.core.symbols import are_symbols, known, one_hot, zero_padding
from memtape.models.recurrent.summary import SUMMARIES, summarised
from memtape.sharing.shareable import Shareable


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
        xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"] | PackedSequence,
        state: Any = None,
        *,
        lengths: Lengths | None = None,
        starts: Bool[Tensor, "batch time"] | None = None,
        collect: Callable[[LayersState], Any] | None = None,
        checkpoint_every: int | None = None,
    ) -> Any:
        """Run over whole sequences; arguments and results are those of `Recurrent`.

        A start inside a row resets both directions of all layers. `collect` receives the states of all layers at each
        step, of which the backward ones have read this step and all later ones.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has the wrong shape, dtype, device or value.
        """
        padded, own_lengths = unpacked(xs, lengths)
        vectors = self._vectors(padded, own_lengths)
        valid = None if own_lengths is None else checks.lengths_of(vectors, own_lengths)
        fresh = None if starts is None else checks.starts_of(vectors, starts)
        if state is not None:
            checks.state_for(self, state, self.init_state(vectors.shape[0]), vectors.shape[0])
        options = {"lengths": valid, "starts": fresh, "collect": collect, "checkpoint_every": checkpoint_every}
        ys, last, *trace = self.layers(vectors, state, **options)
        ys = self.to_output(self.dropout(summarised(self.summary, ys, valid, fresh)))
        return packed_as(xs, padding.zero_beyond(ys, valid), own_lengths), last, *trace

    def _vectors(self, xs: Tensor, lengths: Any) -> Tensor:
        """Return the inputs of the lowest layer."""
        if are_symbols(xs):
            symbols = known(zero_padding(xs.long(), lengths), self.input_size, type(self).__name__)
            if self.embedding is not None:
                return self.embedding(symbols)
            parameter = next(self.parameters(), None)
            return one_hot(symbols, self.input_size, None if parameter is None else parameter.dtype)
        checks.sequences(self, xs)
        return xs if self.embedding is None else xs @ self.embedding(torch.arange(self.input_size, device=xs.device))
