"""Feedforward: a cell without a state."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.activation import UNITS, Unit
from memtape.cells.fused_recurrence import fused_here
from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear
from memtape.core.starts import Starts, StartsInside
from memtape.core.state import NoState


class FeedforwardCell(Cell[NoState]):
    r"""Apply one layer of units to the input; there is no state.

    $$h_t = f(W x_t + b)$$

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        gain: scale of the initial weights, in units of the bound of Xavier's uniform initialisation.
        activation: the activation function $f$.
        bias: whether there is a bias $b$.

    Raises:
        ValueError: a size is below 1, or the activation is unknown.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, section 3.4; the paper does not
        name the nonlinearity.
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, gain: float = 1.0, activation: Unit = "tanh", bias: bool = True
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        checks.one_of(tuple(UNITS), activation=activation)
        self.input_size = input_size
        self.output_size = hidden_size
        self.activation: Unit = activation
        self.layer = nn.Linear(input_size, hidden_size, bias=bias)
        nn.init.xavier_uniform_(self.layer.weight, gain=gain)
        if bias:
            nn.init.zeros_(self.layer.bias)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> NoState:
        """Return the empty state."""
        return NoState()

    def forward(self, x: Float[Tensor, "batch input"], state: NoState) -> tuple[Float[Tensor, "batch hidden"], NoState]:
        """Take one step."""
        return UNITS[self.activation](self.layer(x)), state

    def fused(self, backend: str) -> FusedRun[NoState] | None:
        """Return a run that computes all steps at once, on the CPU."""
        known = type(self) is FeedforwardCell and are_linear(
            self.layer, bias=getattr(self.layer, "bias", None) is not None
        )
        return StartsInside(self._whole) if fused_here(backend) and known else None

    def _whole(
        self, xs: Tensor, state: NoState, lengths: Tensor | None, starts: Starts[NoState] | None
    ) -> tuple[Tensor, NoState]:
        return padding.zero_beyond(UNITS[self.activation](self.layer(xs)), lengths), state
