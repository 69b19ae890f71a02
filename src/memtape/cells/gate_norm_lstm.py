"""Gate-normalised LSTM: an LSTM with a layer normalisation of each gate and of the memory cell that it keeps."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.cells.lstm import LSTMState
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks
from memtape.core.cell import Cell

GATES = 4


class GateNormLSTMCell(Cell[LSTMState]):
    r"""Update a normalised memory cell through gates, each normalised over its own units.

    $$(i, f, g, o) = \operatorname{LN}_{i, f, g, o}(W [x_t; h_{t-1}]), \qquad
    c_t = \operatorname{LN}_c\left(\sigma(f + 1) \odot c_{t-1} + \sigma(i) \odot \tanh(g)\right), \qquad
    h_t = \sigma(o) \odot \tanh(c_t)$$

    Each of the five normalisations has a scale, initially 1, and a shift, initially 0. The memory cell that is passed to the
    next step is normalised; that of `LSTMCell` with `layer_norm`, which normalises all gates together, is not. It has
    4 hidden (input + hidden) + 10 hidden parameters.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$ and $c_t$.
        forget_bias: the constant that is added to $f$, 1 in the equation.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.

    References:
        Ba, Kiros & Hinton (2016), "Layer normalization", arXiv:1607.06450, as in TensorFlow's LayerNormBasicLSTMCell;
        controller of Le, Tran & Venkatesh (2019), arXiv:1901.01347.
    """

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.output_size = input_size, hidden_size
        self.forget_bias = forget_bias
        self.to_gates = nn.Linear(input_size + hidden_size, GATES * hidden_size, bias=False)
        gain_by_hidden_size(self, hidden_size, gain)
        self.scale = nn.Parameter(torch.ones(GATES, hidden_size))
        self.shift = nn.Parameter(torch.zeros(GATES, hidden_size))
        self.cell_norm = nn.LayerNorm(hidden_size)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LSTMState:
        """Return a hidden vector and a memory cell of zeros."""
        zeros = torch.zeros(batch_size, self.output_size, device=device, dtype=dtype)
        return LSTMState(hidden=zeros, cell=zeros)

    def forward(
        self, x: Float[Tensor, "batch input"], state: LSTMState
    ) -> tuple[Float[Tensor, "batch hidden"], LSTMState]:
        """Take one step."""
        raw = self.to_gates(torch.cat([x, state.hidden], dim=-1)).unflatten(-1, (GATES, -1))
        normalised = functional.layer_norm(raw, raw.shape[-1:], eps=self.cell_norm.eps) * self.scale + self.shift
        write, keep, candidate, show = normalised.unbind(-2)
        kept = torch.sigmoid(keep + self.forget_bias) * state.cell
        cell = self.cell_norm(kept + torch.sigmoid(write) * torch.tanh(candidate))
        hidden = torch.sigmoid(show) * torch.tanh(cell)
        return hidden, LSTMState(hidden=hidden, cell=cell)
