"""Decoder: a recurrent network that generates a sequence, with attention to an encoded one."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memtape.cells import Conditioned
from memtape.cells.conditioned import ConditionedState
from memtape.core import checks, padding, state_tree
from memtape.core.state import NoState, state
from memtape.core.unroll import unroll
from memtape.memory.encoded import EncodedMemory


@state
class DecoderState:
    """The state of the conditioned cell, and the encoded sequence that the decoder attends to."""

    cell: ConditionedState
    encoded: Any
    """`EncodedState`, or `NoState` without attention."""


class Decoder(nn.Module):
    r"""Generate a sequence with a cell that attends to a memory before or after its step.

    Before (Bahdanau): the query is the last hidden vector, and the read vector is an input of the step, so that the
    steps are computed one after another:

    $$c_t = \text{read}(s_{t-1}), \qquad s_t = f(s_{t-1}, [x_t; c_t])$$

    After (Luong): the query is the new hidden vector, and the read vector is an input of the readout only, so that a
    whole sequence of known inputs is computed at once:

    $$s_t = f(s_{t-1}, x_t), \qquad c_t = \text{read}(s_t)$$

    In both $\tilde h_t = \tanh(W [s_t; c_t] + b)$ and $o_t = V \tilde h_t + d$; without a memory $o_t = V s_t + d$.

    Args:
        cell: the conditioned cell; its output is the hidden vector of its top layer.
        memory: the memory of the encoded sequence; None for no attention.
        output_size: size of $o_t$.
        attend_first: attend before the step, else after it.
        dropout: in training, the probability that an entry before the readout is dropped.

    Raises:
        ValueError: a size is below 1.

    References:
        Bahdanau, Cho & Bengio (2015), arXiv:1409.0473; Luong, Pham & Manning (2015), arXiv:1508.04025, eqs. 5-7.
    """

    def __init__(
        self,
        cell: Conditioned,
        memory: EncodedMemory | None,
        output_size: int,
        *,
        attend_first: bool,
        dropout: float = 0.0,
    ):
        super().__init__()
        checks.module_sizes(self, output_size=output_size)
        self.cell, self.memory = cell, memory
        self.attend_first = attend_first and memory is not None
        self.mix = nn.Linear(cell.output_size + memory.read_size, cell.output_size) if memory else None
        self.dropout = nn.Dropout(dropout)
        self.to_output = nn.Linear(cell.output_size, output_size)

    def begin(
        self,
        context: Float[Tensor, "batch context"],
        vectors: Float[Tensor, "batch slots encoded"],
        lengths: Int[Tensor, " batch"],
    ) -> DecoderState:
        """Return the state before the first step, given encoded sequences and their context vectors."""
        encoded = self.memory.write(vectors, lengths) if self.memory else NoState()
        return DecoderState(cell=self.cell.begin(context), encoded=encoded)

    def step(
        self, x: Float[Tensor, "batch input"], state: DecoderState
    ) -> tuple[Float[Tensor, "batch output"], DecoderState]:
        """Take one step."""
        hidden, reads, cell = self._step(x, state.cell, state.encoded)
        return self._readout(hidden, reads), DecoderState(cell=cell, encoded=state.encoded)

    def forward(
        self, xs: Float[Tensor, "batch time input"], state: DecoderState, lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch time output"], DecoderState]:
        """Run over whole sequences of known inputs; outputs are zero beyond a row's length."""
        reads = None
        if self.attend_first:
            hidden, reads, cell = self._one_after_another(xs, state, padding.alive(xs, lengths))
        else:
            hidden, cell, _ = unroll(self.cell, xs, state.cell, lengths=lengths)
            if self.memory is not None:
                reads = self.memory(hidden, state.encoded)
        ys = padding.zero_beyond(self._readout(hidden, reads), lengths)
        return ys, DecoderState(cell=cell, encoded=state.encoded)

    def _one_after_another(
        self, xs: Tensor, state: DecoderState, alive: Tensor
    ) -> tuple[Tensor, Tensor, ConditionedState]:
        steps, cell = [], state.cell
        for x, going in zip(xs.unbind(1), alive.unbind(1), strict=True):
            hidden, reads, moved = self._step(x, cell, state.encoded)
            cell = state_tree.select(going, moved, cell)
            steps.append((hidden, reads))
        hidden, reads = (torch.stack(part, dim=1) for part in zip(*steps, strict=True))
        return hidden, reads, cell

    def _step(self, x: Tensor, cell: ConditionedState, encoded: Any) -> tuple[Tensor, Tensor | None, ConditionedState]:
        """Return the hidden vector, the read vector (None without a memory), and the next state of the cell."""
        if self.memory is None:
            hidden, cell = self.cell(x, cell)
            return hidden, None, cell
        if self.attend_first:
            query = cell.cell.layers[-1].hidden
            reads = self.memory(query[:, None], encoded)[:, 0]
            hidden, cell = self.cell(torch.cat([x, reads], dim=-1), cell)
            return hidden, reads, cell
        hidden, cell = self.cell(x, cell)
        return hidden, self.memory(hidden[:, None], encoded)[:, 0], cell

    def _readout(self, hidden: Tensor, reads: Tensor | None) -> Tensor:
        if self.mix is not None and reads is not None:
            hidden = torch.tanh(self.mix(torch.cat([hidden, reads], dim=-1)))
        return self.to_output(self.dropout(hidden))
