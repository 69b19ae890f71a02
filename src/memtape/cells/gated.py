"""Gated: the LSTM and the GRU, whose gates decide what to keep."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.elman import HiddenState, spread_by_hidden_size
from memtape.core import checks
from memtape.core.cell import Cell
from memtape.core.state import state


@state
class LSTMState:
    """What an LSTM remembers."""

    hidden: Float[Tensor, "*batch hidden"]
    cell: Float[Tensor, "*batch hidden"]


class LSTMCell(Cell[LSTMState]):
    r"""Keep a linear memory cell behind an input, a forget and an output gate; the output is the hidden vector.

    $$(i, f, g, o) = W x_t + U h_{t-1} + b, \qquad c_t = \sigma(f) \odot c_{t-1} + \sigma(i) \odot \tanh(g), \qquad
    h_t = \sigma(o) \odot \tanh(c_t)$$

    Rows of $W$, $U$ and $b$ stand in the order i, f, g, o, as in `torch.nn.LSTM`.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$ and $c_t$.
        forget_bias: where the bias of $f$ begins; the other biases begin at 0.
        gain: how far the initial weights spread, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size below 1.

    References:
        Hochreiter & Schmidhuber (1997), "Long short-term memory", Neural Computation 9,
        doi:10.1162/neco.1997.9.8.1735; forget gate and its bias: Gers, Schmidhuber & Cummins (2000), "Learning to
        forget", Neural Computation 12, doi:10.1162/089976600300015015.
    """

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.output_size = hidden_size
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_hidden = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        spread_by_hidden_size(self, gain)
        nn.init.constant_(self.from_input.bias[hidden_size : 2 * hidden_size], forget_bias)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LSTMState:
        """Return zeros."""
        zeros = torch.zeros(batch_size, self.output_size, device=device, dtype=dtype)
        return LSTMState(hidden=zeros, cell=zeros)

    def forward(
        self, x: Float[Tensor, "batch input"], state: LSTMState
    ) -> tuple[Float[Tensor, "batch hidden"], LSTMState]:
        """Take one step."""
        gates = self.from_input(x) + self.from_hidden(state.hidden)
        write, keep, candidate, show = gates.chunk(4, dim=-1)
        cell = torch.sigmoid(keep) * state.cell + torch.sigmoid(write) * torch.tanh(candidate)
        hidden = torch.sigmoid(show) * torch.tanh(cell)
        return hidden, LSTMState(hidden=hidden, cell=cell)


class GRUCell(Cell[HiddenState]):
    r"""Blend the old hidden vector with a candidate that sees a reset view of it; the output is the hidden vector.

    $$(r, z) = \sigma(W_{rz} x_t + U_{rz} h_{t-1} + b_{rz}), \qquad
    n = \tanh\bigl(W_n x_t + b_n + r \odot (U_n h_{t-1} + b'_n)\bigr), \qquad h_t = (1 - z) \odot n + z \odot h_{t-1}$$

    The reset gate acts after the product, as in `torch.nn.GRU`; rows stand in the order r, z, n.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        gain: how far the initial weights spread, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size below 1.

    References:
        Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", arXiv:1406.1078, section 2.3.
    """

    def __init__(self, input_size: int, hidden_size: int, *, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.output_size = hidden_size
        self.from_input = nn.Linear(input_size, 3 * hidden_size)
        self.from_hidden = nn.Linear(hidden_size, 3 * hidden_size)
        spread_by_hidden_size(self, gain)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        reset, update, candidate = self.from_input(x).chunk(3, dim=-1)
        reset_hidden, update_hidden, candidate_hidden = self.from_hidden(state.hidden).chunk(3, dim=-1)
        candidate = torch.tanh(candidate + torch.sigmoid(reset + reset_hidden) * candidate_hidden)
        update = torch.sigmoid(update + update_hidden)
        hidden = (1 - update) * candidate + update * state.hidden
        return hidden, HiddenState(hidden=hidden)
