"""Leaky: leaky integrator units, each with its own time constant."""

from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.activation import ACTIVATIONS, Activation
from memtape.cells.elman import HiddenState
from memtape.cells.fused_recurrence import recurrence_here
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear
from memtape.core.starts import Starts, StartsInside
from memtape.kernels.recurrence import Recurrence, RecurrenceForm, RecurrenceParameters, RecurrenceState
from memtape.kernels.scan import ENGINES, Diagonal, ScanEngine


class LeakyCell(Cell[HiddenState]):
    r"""Update each hidden unit as a leaky integrator; the output is the hidden vector.

    $$h_t = \alpha \odot h_{t-1} + (1 - \alpha) \odot f(W x_t + U h_{t-1} + b), \qquad \alpha = 1 - 1 / \tau$$

    Each unit has its own time constant $\tau$, drawn once, log-uniformly, from 1 (a plain unit) to `longest`. Without recurrent
    weights, $U = 0$, the units are linear in their state and run in parallel over time.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        recurrence: "full" has the recurrent matrix $U$; "linear" has none.
        time_constants: "fixed" keeps $\alpha$ as drawn (a buffer, `share`); "learned" trains it as $\alpha = \sigma(a)$ (a
            parameter, `share_logits`).
        longest: the longest time constant, in steps, at least 1.
        activation: the activation function $f$.
        gain: scale of the initial weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size or `longest` is below 1, or the activation, recurrence or kind of time constants is unknown.

    References:
        Jaeger, Lukosevicius, Popovici & Siewert (2007), "Optimization and applications of echo state networks with
        leaky-integrator neurons", Neural Networks 20, doi:10.1016/j.neunet.2007.04.016; Mozer (1992), "Induction of
        multiscale temporal structure", NIPS 4.
    """

    share: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        recurrence: Literal["full", "linear"] = "full",
        time_constants: Literal["fixed", "learned"] = "fixed",
        longest: float = 100.0,
        activation: Activation = "tanh",
        gain: float = 1.0,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        checks.one_of(("full", "linear"), recurrence=recurrence)
        checks.one_of(("fixed", "learned"), time_constants=time_constants)
        checks.one_of(tuple(ACTIVATIONS), activation=activation)
        if not 1 <= longest < float("inf"):
            raise ValueError(
                f"longest is {longest}, but a time constant is at least 1 step and finite; give a finite number of at least 1"
            )
        self.input_size = input_size
        self.output_size = hidden_size
        self.activation: Activation = activation
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_hidden = nn.Linear(hidden_size, hidden_size, bias=False) if recurrence == "full" else None
        gain_by_hidden_size(self, hidden_size, gain)
        constants = longest ** torch.rand(hidden_size)
        if time_constants == "learned":
            self.share_logits = nn.Parameter((constants - 1).clamp(min=1e-3).log())
        else:
            self.register_buffer("share", 1 - 1 / constants)
        self.learned = time_constants == "learned"

    @property
    def shares(self) -> Float[Tensor, " hidden"]:
        r"""The share $\alpha$ of its value that each unit keeps at each step."""
        return torch.sigmoid(self.share_logits) if self.learned else self.share

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        seen = self.from_input(x)
        if self.from_hidden is not None:
            seen = seen + self.from_hidden(state.hidden)
        fresh = ACTIVATIONS[self.activation](seen)
        hidden = self.shares * state.hidden + (1 - self.shares) * fresh
        return hidden, HiddenState(hidden=hidden)

    def fused(self, backend: str) -> FusedRun[HiddenState] | None:
        """Return the fused CPU kernel; linear units also run in parallel over time elsewhere."""
        if type(self) is not LeakyCell or not are_linear(self.from_input):
            return None
        if self.from_hidden is None:
            scan = ENGINES.get(backend)
            return None if scan is None else StartsInside(partial(self._scanned, scan))
        run = recurrence_here(backend)
        known = are_linear(self.from_hidden, bias=False)
        return partial(self._whole, run) if run is not None and known else None

    def _whole(
        self, run: Recurrence, xs: Tensor, state: HiddenState, lengths: Tensor | None
    ) -> tuple[Tensor, HiddenState]:
        recurrent: Any = self.from_hidden
        form = RecurrenceForm(kind="plain", activation=self.activation)
        parameters = RecurrenceParameters(weight=recurrent.weight, leak=self.shares)
        ys, last = run(form, parameters, RecurrenceState(fed=state.hidden), self.from_input(xs), lengths)
        return ys, HiddenState(hidden=last.fed)

    def _scanned(
        self,
        scan: ScanEngine,
        xs: Tensor,
        state: HiddenState,
        lengths: Tensor | None,
        starts: Starts[HiddenState] | None,
    ) -> tuple[Tensor, HiddenState]:
        fresh = ACTIVATIONS[self.activation](self.from_input(xs))
        steps = Diagonal(decay=self.shares[None, None], added=(1 - self.shares) * fresh)
        hidden, last = scan(steps, state.hidden, lengths, starts and starts.of(starts.state.hidden))
        return padding.zero_beyond(hidden, lengths), HiddenState(hidden=last)
