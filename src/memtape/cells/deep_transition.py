"""Deep transition: several layers from one hidden vector to the next."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.activation import ACTIVATIONS, Activation
from memtape.cells.elman import HiddenState
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks
from memtape.core.cell import Cell


class DeepTransitionCell(Cell[HiddenState]):
    r"""Compute the next hidden vector with several layers of plain units; the output is the hidden vector.

    $$z_1 = f(W x_t + U_1 h_{t-1} + b_1), \qquad z_l = f(U_l z_{l-1} + b_l), \qquad h_t = z_L$$

    The path from one step to the next is $L$ layers long. A shortcut, $z_L = f(U_L z_{L-1} + A h_{t-1} + b_L)$, adds a path
    of one layer.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$ and of all layers.
        depth: the number of layers $L$.
        shortcut: add the shortcut $A$; needs a depth of at least 2.
        activation: the activation function $f$.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size or the depth is below 1, a shortcut is requested at a depth of 1, or the activation is unknown.

    References:
        Pascanu, Gulcehre, Cho & Bengio (2014), "How to construct deep recurrent neural networks", arXiv:1312.6026: DT-RNN
        and DT(S)-RNN.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        depth: int = 2,
        shortcut: bool = False,
        activation: Activation = "tanh",
        gain: float = 1.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size, depth=depth)
        checks.one_of(tuple(ACTIVATIONS), activation=activation)
        if shortcut and depth == 1:
            raise ValueError(
                "shortcut is True, but depth is 1, where there is no layer to skip; give a depth of at least 2"
            )
        self.input_size = input_size
        self.output_size = hidden_size
        self.activation = activation
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_hidden = nn.Linear(hidden_size, hidden_size, bias=False)
        self.upper = nn.ModuleList(nn.Linear(hidden_size, hidden_size) for _ in range(depth - 1))
        self.around = nn.Linear(hidden_size, hidden_size, bias=False) if shortcut else None
        gain_by_hidden_size(self, hidden_size, gain)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        activation = ACTIVATIONS[self.activation]
        total = self.from_input(x) + self.from_hidden(state.hidden)
        for layer in self.upper:
            total = layer(activation(total))
        if self.around is not None:
            total = total + self.around(state.hidden)
        hidden = activation(total)
        return hidden, HiddenState(hidden=hidden)
