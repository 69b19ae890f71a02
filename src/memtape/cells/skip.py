"""Skip: recurrent connections with a delay of more than one step."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.activation import ACTIVATIONS, Activation
from memtape.cells.fused_recurrence import loop_here
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear
from memtape.core.state import state


@state
class RecentState:
    """The hidden vectors of the last `delay` steps, the oldest first."""

    recent: Float[Tensor, "*batch delay hidden"]


class SkipCell(Cell[RecentState]):
    r"""Feed back the hidden vectors of one step and of $d$ steps ago; the output is the hidden vector.

    $$h_t = f(W x_t + U h_{t-1} + V h_{t-d} + b)$$

    Along the delayed connection a gradient passes $d$ times fewer steps. Without $U$ the network processes $d$ interleaved
    subsequences independently.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        delay: the delay $d$ of the skip connection, in steps, at least 2.
        keep_short: keep the one-step connection $U$.
        activation: the activation function $f$.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size is below 1, the delay is below 2, or the activation is unknown.

    References:
        Lin, Horne, Tino & Giles (1996), "Learning long-term dependencies in NARX recurrent neural networks", IEEE Transactions
        on Neural Networks 7, doi:10.1109/72.548162; Goodfellow, Bengio & Courville (2016), "Deep Learning", sections
        10.9.1 and 10.9.3.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        delay: int = 2,
        keep_short: bool = True,
        activation: Activation = "tanh",
        gain: float = 1.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        checks.at_least(2, delay=delay)
        checks.one_of(tuple(ACTIVATIONS), activation=activation)
        self.input_size = input_size
        self.output_size = hidden_size
        self.delay = delay
        self.activation = activation
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_hidden = nn.Linear(hidden_size, hidden_size, bias=False) if keep_short else None
        self.from_delayed = nn.Linear(hidden_size, hidden_size, bias=False)
        gain_by_hidden_size(self, hidden_size, gain)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> RecentState:
        """Return hidden vectors of zeros."""
        return RecentState(recent=torch.zeros(batch_size, self.delay, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: RecentState
    ) -> tuple[Float[Tensor, "batch hidden"], RecentState]:
        """Take one step."""
        hidden = self._hidden(self.from_input(x), state.recent[:, -1], state.recent[:, 0])
        recent = torch.cat([state.recent[:, 1:], hidden[:, None].to(state.recent.dtype)], dim=1)
        return hidden, RecentState(recent=recent)

    def fused(self, backend: str) -> FusedRun[RecentState] | None:
        """Return a CPU loop over time that does not copy the buffer of old hidden vectors."""
        return self._whole if loop_here(backend) and are_linear(self.from_input) else None

    def _whole(self, xs: Tensor, state: RecentState, lengths: Tensor | None) -> tuple[Tensor, RecentState]:
        alive = None if lengths is None else padding.alive(xs, lengths)
        vectors = list(state.recent.unbind(dim=1))
        for t, seen in enumerate(self.from_input(xs).unbind(dim=1)):
            hidden = self._hidden(seen, vectors[-1], vectors[-self.delay])
            vectors.append(hidden if alive is None else torch.where(alive[:, t, None], hidden, 0))
        every = torch.stack(vectors, dim=1)
        ends = torch.full_like(xs[:, 0, 0], xs.shape[1], dtype=torch.long) if lengths is None else lengths
        place = ends[:, None] + torch.arange(self.delay, device=xs.device)
        recent = every[torch.arange(xs.shape[0], device=xs.device)[:, None], place]
        return every[:, self.delay :], RecentState(recent=recent)

    def _hidden(self, seen: Tensor, last: Tensor, delayed: Tensor) -> Tensor:
        total = seen + self.from_delayed(delayed)
        if self.from_hidden is not None:
            total = total + self.from_hidden(last)
        return ACTIVATIONS[self.activation](total)
