"""Encoded: a read-only memory of the vectors of an encoded sequence."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from memtape import ops
from memtape.core import checks, padding
from memtape.core.state import state

Attention = Literal["additive", "dot", "general"]
ATTENTIONS = ("additive", "dot", "general")


@state
class EncodedState:
    """The vectors of a sequence, one in each slot, and their keys."""

    keys: Float[Tensor, "*batch slots width"]
    values: Float[Tensor, "*batch slots encoded"]
    present: Bool[Tensor, "*batch slots"]
    """Which slots contain a vector; the others are padding."""


class EncodedMemory(nn.Module):
    r"""Store the vectors of a sequence as slots, and read them by attention.

    $$\alpha_{ij} = \operatorname{softmax}_j e(s_i, h_j), \qquad c_i = \sum_j \alpha_{ij} h_j$$

    where the score $e(s, h)$ is "additive" $v^\top \tanh(W s + U h + b)$, "dot" $s^\top h$ or "general" $s^\top W h$.
    Terms that depend on $h$ only are computed once, when the memory is written. The weights of each query sum to 1 and
    are 0 at padding; the read vector of a sequence of length 0 is zero.

    Args:
        encoded_size: size of $h_j$ and of a read vector.
        query_size: size of $s_i$.
        attention: the score function.
        width: number of tanh units of the additive score; None for `query_size`. The other scores have no tanh units.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the score is unknown, a width is given for a score without tanh units, or the
            sizes for "dot" differ.

    References:
        additive: Bahdanau, Cho & Bengio (2015), arXiv:1409.0473; dot and general: Luong, Pham & Manning (2015),
        arXiv:1508.04025, eq. 8.
    """

    def __init__(
        self, encoded_size: int, query_size: int, *, attention: Attention = "additive", width: int | None = None
    ):
        super().__init__()
        checks.module_sizes(self, encoded_size=encoded_size, query_size=query_size)
        checks.one_of(ATTENTIONS, attention=attention)
        if attention == "dot" and encoded_size != query_size:
            raise ValueError(
                f'attention is "dot", but queries have size {query_size} and encoded vectors {encoded_size}; '
                'choose "general", or make the sizes equal'
            )
        if width is None:
            width = query_size
        elif attention != "additive":
            raise ValueError(
                f'width is {width}, but only "additive" attention has tanh units; leave width out or choose "additive"'
            )
        checks.module_sizes(self, width=width)
        self.attention: Attention = attention
        self.read_size = encoded_size
        additive = attention == "additive"
        self.to_keys = nn.Identity() if attention == "dot" else nn.Linear(encoded_size, width, bias=additive)
        self.to_query = nn.Linear(query_size, width, bias=False) if additive else nn.Identity()
        self.direction = nn.Parameter(torch.empty(width)) if additive else None
        if self.direction is not None:
            nn.init.uniform_(self.direction, -(width**-0.5), width**-0.5)

    def write(
        self, vectors: Float[Tensor, "batch slots encoded"], lengths: Int[Tensor, " batch"] | None = None
    ) -> EncodedState:
        """Return a memory of the first `lengths` vectors of each row, None for all."""
        if lengths is None:
            lengths = torch.full((vectors.shape[0],), vectors.shape[1], device=vectors.device)
        values = padding.zero_beyond(vectors, lengths)
        present = padding.alive(vectors, lengths)
        return EncodedState(keys=self.to_keys(values), values=values, present=present)

    def weights(
        self, queries: Float[Tensor, "batch queries query"], state: EncodedState
    ) -> Float[Tensor, "batch queries slots"]:
        """Return the attention weights of each query."""
        if self.direction is None:
            scores = ops.dot_scores(queries, state.keys)
        else:
            scores = ops.additive_scores(self.to_query(queries), state.keys, self.direction)
        return ops.attention_weights(scores, state.present)

    def forward(
        self, queries: Float[Tensor, "batch queries query"], state: EncodedState
    ) -> Float[Tensor, "batch queries encoded"]:
        """Return the read vector of each query."""
        return ops.read(state.values, self.weights(queries, state))
