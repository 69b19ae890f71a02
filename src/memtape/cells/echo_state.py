"""Echo state: a reservoir with fixed random weights."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.cells.elman import HiddenState
from memtape.cells.fused_recurrence import recurrence_here
from memtape.core import checks
from memtape.core.cell import Cell, FusedRun
from memtape.kernels.recurrence import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState


class EchoStateCell(Cell[HiddenState]):
    r"""Drive a large recurrent network with fixed random weights, a reservoir; the output is the hidden vector.

    $$h_t = (1 - a) h_{t-1} + a \tanh(W [1; x_t] + U h_{t-1})$$

    The cell has no trainable parameters. Only a linear readout is learned, in closed form, by `memtape.ops.ridge`. The
    entries of $W$ are drawn from $U(\pm \text{scale})$. Each row of $U$ has a few nonzero entries drawn from $U(\pm 1)$; $U$
    is then scaled to the given spectral radius. $W$ and $U$ are buffers and are saved with the network.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        radius: spectral radius of $U$, the largest absolute value of its eigenvalues; below 1 past inputs usually fade.
        leak: leaking rate $a$, the share of the hidden vector that is replaced at each step, in (0, 1].
        input_scale: scale of the entries of $W$.
        density: share of nonzero entries in each row of $U$, in (0, 1]; each row has at least one.

    Raises:
        ValueError: a size is below 1, the radius or scale is not positive, or the leak or density is outside (0, 1].

    References:
        Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks", GMD report 148;
        Lukosevicius (2012), "A practical guide to applying echo state networks",
        doi:10.1007/978-3-642-35289-8_36.
    """

    from_input: Tensor
    bias: Tensor
    from_hidden: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        radius: float = 0.9,
        leak: float = 1.0,
        input_scale: float = 1.0,
        density: float = 0.1,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        checks.positive(radius=radius, leak=leak, input_scale=input_scale, density=density)
        checks.probabilities(leak=leak, density=density)
        self.input_size = input_size
        self.output_size = hidden_size
        self.leak = leak
        self.register_buffer("from_input", torch.empty(hidden_size, input_size).uniform_(-input_scale, input_scale))
        self.register_buffer("bias", torch.empty(hidden_size).uniform_(-input_scale, input_scale))
        self.register_buffer("from_hidden", _sparse(hidden_size, density, radius))

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        fresh = torch.tanh(x @ self.from_input.T + self.bias + state.hidden @ self.from_hidden.T)
        hidden = fresh if self.leak == 1 else (1 - self.leak) * state.hidden + self.leak * fresh
        return hidden, HiddenState(hidden=hidden)

    def fused(self, backend: str) -> FusedRun[HiddenState] | None:
        """Return memtape's fused CPU kernel."""
        run = recurrence_here(backend)
        return partial(self._whole, run) if run is not None and type(self) is EchoStateCell else None

    def _whole(
        self, run: Recurrence, xs: Tensor, state: HiddenState, lengths: Tensor | None
    ) -> tuple[Tensor, HiddenState]:
        leak = None if self.leak == 1 else torch.full_like(self.bias, 1 - self.leak)
        parameters = RecurrenceParameters(weight=self.from_hidden, leak=leak)
        given = functional.linear(xs, self.from_input, self.bias)
        ys, last = run(RecurrenceForm(kind="plain"), parameters, RecurrenceState(fed=state.hidden), given, lengths)
        return ys, HiddenState(hidden=last.fed)


def _sparse(size: int, density: float, radius: float) -> Tensor:
    """Return a sparse random matrix with a given spectral radius; a nonzero entry in every row keeps the radius above 0."""
    entries = max(1, round(density * size))
    chosen = torch.rand(size, size).argsort(dim=1) < entries
    matrix = torch.where(chosen, torch.empty(size, size).uniform_(-1, 1), 0)
    return matrix * (radius / torch.linalg.eigvals(matrix).abs().max())
