"""Fast weights: a recurrent cell whose second weight matrix stores its own recent hidden vectors."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.activation import UNITS, Unit
from memtape.core import checks
from memtape.core.cell import Cell
from memtape.core.state import state
from memtape.core.view import View, Views
from memtape.ops import fast_weights_after

IDENTITY = 0.05
"""Diagonal of the initial slow weights between hidden vectors, as in the paper."""


@state
class FastWeightsState:
    """The hidden vector, and the fast weights with this vector in them."""

    hidden: Float[Tensor, "*batch hidden"]
    fast: Float[Tensor, "*batch hidden hidden"]


class FastWeightsCell(Cell[FastWeightsState]):
    r"""Update the hidden vector with slow weights, and let fast weights pull it towards recent ones; it is the output.

    $$h^0_{t+1} = f(W h_t + C x_{t+1}), \qquad h^{s+1}_{t+1} = f(\operatorname{LN}(W h_t + C x_{t+1} + A_t h^s_{t+1}))$$

    $$h_{t+1} = h^S_{t+1}, \qquad A_{t+1} = \lambda A_t + \eta h_{t+1} h_{t+1}^\top$$

    The product $A_t h$ is attention to all past hidden vectors, with their dot products with $h$ as weights, which decay with
    age (`memtape.ops.attend_to_the_past`). Layer normalisation keeps it bounded. In the inner loop the slow weights
    contribute the same at each step.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        decay: $\lambda$, by which the fast weights are multiplied at each step.
        rate: $\eta$, by which new outer products are multiplied; 0 leaves a network without fast weights.
        inner_steps: $S$, the number of steps of the inner loop.
        layer_norm: normalise the sum in the inner loop; without it large rates make hidden vectors grow.
        activation: the activation function $f$.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the decay is outside 0..1, the rate is negative, or the activation is unknown.

    References:
        Ba, Hinton, Mnih, Leibo & Ionescu (2016), "Using fast weights to attend to the recent past", arXiv:1610.06258, eq. 1, 2
        and section 3.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        decay: float = 0.95,
        rate: float = 0.5,
        inner_steps: int = 1,
        layer_norm: bool = True,
        activation: Unit = "relu",
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size, inner_steps=inner_steps)
        checks.probabilities(decay=decay)
        checks.one_of(tuple(UNITS), activation=activation)
        if rate != 0:
            checks.positive(rate=rate)
        self.input_size, self.output_size = input_size, hidden_size
        self.decay, self.rate, self.inner_steps = decay, rate, inner_steps
        self.activation: Unit = activation
        self.from_input = nn.Linear(input_size, hidden_size, bias=False)
        self.from_hidden = nn.Linear(hidden_size, hidden_size, bias=False)
        self.norm = nn.LayerNorm(hidden_size) if layer_norm else nn.Identity()
        with torch.no_grad():
            nn.init.eye_(self.from_hidden.weight).mul_(IDENTITY)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> FastWeightsState:
        """Return a hidden vector and fast weights of zeros."""
        hidden = torch.zeros(batch_size, self.output_size, device=device, dtype=dtype)
        return FastWeightsState(hidden=hidden, fast=hidden.new_zeros(*hidden.shape, self.output_size))

    def forward(
        self, x: Float[Tensor, "batch input"], state: FastWeightsState
    ) -> tuple[Float[Tensor, "batch hidden"], FastWeightsState]:
        """Take one step."""
        unit = UNITS[self.activation]
        slow = self.from_hidden(state.hidden) + self.from_input(x)
        hidden = unit(slow)
        for _ in range(self.inner_steps):
            hidden = unit(self.norm(slow + (state.fast @ hidden.unsqueeze(-1)).squeeze(-1)))
        fast = fast_weights_after(state.fast, hidden, self.decay, self.rate)
        return hidden, FastWeightsState(hidden=hidden, fast=fast)

    def views(self, x: Float[Tensor, "batch input"], state: FastWeightsState) -> Views:
        """Return the hidden vector of the step, and the fast weights after it."""
        _, after = self(x, state)
        return (
            View(
                name="hidden",
                title="Hidden vector",
                values=after.hidden,
                axes=("unit",),
                scale="signed",
                measure="value",
            ),
            View(
                name="fast_weights",
                title="Fast weights",
                values=after.fast,
                axes=("to unit", "from unit"),
                scale="signed",
                measure="weight",
            ),
        )
