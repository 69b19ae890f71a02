"""Elman: the plain recurrent cell."""

from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.activation import ACTIVATIONS, UNITS, Unit
from memtape.cells.fused_recurrence import recurrence_here
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear
from memtape.core.state import state
from memtape.kernels.recurrence import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState


@state
class HiddenState:
    """The state of a cell with one hidden vector."""

    hidden: Float[Tensor, "*batch hidden"]


class ElmanCell(Cell[HiddenState]):
    r"""Update the hidden vector with one layer of plain units; the output is the hidden vector.

    $$h_t = f(W x_t + U h_{t-1} + b)$$

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        activation: the activation function $f$; there is no fused kernel for "sigmoid".
        initial: initialisation of $U$: "uniform" like the other weights, "orthogonal" as a random orthogonal matrix, or
            "identity" with small input weights (standard deviation 0.001), which together with relu is the IRNN.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$; with "orthogonal" and "identity" it
            multiplies $U$ alone.
        bias: whether there is a bias $b$.

    Raises:
        ValueError: a size is below 1, or the activation or initialisation is unknown.

    References:
        Elman (1990), "Finding structure in time", Cognitive Science 14, doi:10.1207/s15516709cog1402_1; the identity:
        Le, Jaitly & Hinton (2015), "A simple way to initialize recurrent networks of rectified linear units",
        arXiv:1504.00941.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: Unit = "tanh",
        initial: Literal["uniform", "orthogonal", "identity"] = "uniform",
        gain: float = 1.0,
        bias: bool = True,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        checks.one_of(tuple(UNITS), activation=activation)
        checks.one_of(("uniform", "orthogonal", "identity"), initial=initial)
        self.input_size = input_size
        self.output_size = hidden_size
        self.activation: Unit = activation
        self.from_input = nn.Linear(input_size, hidden_size, bias=bias)
        self.from_hidden = nn.Linear(hidden_size, hidden_size, bias=False)
        gain_by_hidden_size(self, hidden_size, gain if initial == "uniform" else 1.0)
        with torch.no_grad():
            if initial == "orthogonal":
                nn.init.orthogonal_(self.from_hidden.weight, gain)
            elif initial == "identity":
                nn.init.eye_(self.from_hidden.weight).mul_(gain)
                nn.init.normal_(self.from_input.weight, std=0.001)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        hidden = UNITS[self.activation](self.from_input(x) + self.from_hidden(state.hidden))
        return hidden, HiddenState(hidden=hidden)

    def fused(self, backend: str) -> FusedRun[HiddenState] | None:
        """Return memtape's fused CPU kernel."""
        run = recurrence_here(backend)
        return partial(self._whole, run) if run is not None and self.plain else None

    @property
    def plain(self) -> bool:
        """Whether the cell currently computes the same function as a layer of `torch.nn.RNN`."""
        layers = are_linear(self.from_input) and are_linear(self.from_hidden, bias=False)
        return type(self) is ElmanCell and self.activation in ACTIVATIONS and layers

    def _whole(
        self, run: Recurrence, xs: Tensor, state: HiddenState, lengths: Tensor | None
    ) -> tuple[Tensor, HiddenState]:
        form = RecurrenceForm(kind="plain", activation=self.activation)
        parameters = RecurrenceParameters(weight=self.from_hidden.weight)
        ys, last = run(form, parameters, RecurrenceState(fed=state.hidden), self.from_input(xs), lengths)
        return ys, HiddenState(hidden=last.fed)
