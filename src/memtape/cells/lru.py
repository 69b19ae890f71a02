"""LRU: the linear recurrent unit, a linear recurrence with complex diagonal weights."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.starts import Starts, StartsInside
from memtape.core.state import state
from memtape.kernels.scan import ENGINES, ComplexDiagonal, ScanEngine, complex_product

WIDEST = 1 - 1e-6
"""Largest squared radius of an eigenvalue at initialisation; on the unit circle the inputs would be scaled by 0."""
NARROWEST = 1e-12
"""Smallest squared radius and relative phase at initialisation, since the logarithm of 0 has no gradient."""


@state
class LRUState:
    """The complex hidden vector of a linear recurrent unit: real parts and imaginary parts, in this order."""

    modes: Float[Tensor, "*batch 2 hidden"]


class LRUCell(Cell[LRUState]):
    r"""Update complex hidden units with a diagonal linear recurrence; the output has the size of the input.

    $$h_t = \lambda \odot h_{t-1} + \gamma \odot B x_t, \qquad y_t = \operatorname{Re}(C h_t) + d \odot x_t,
    \qquad \lambda = \exp(-e^{\nu} + i e^{\theta})$$

    All $\lambda$ are inside the unit circle for any $\nu$. They are initialised uniformly in a ring, or a sector of it, and
    $\gamma$ to $\sqrt{1 - |\lambda|^2}$, so that the states of all units have about the same magnitude. The step is linear in
    the state, so sequences run in parallel over time.

    Args:
        input_size: size of $x_t$ and of $y_t$.
        hidden_size: number of complex units.
        min_radius: inner radius of the ring, at least 0.
        max_radius: outer radius of the ring, at most 1; a value closer to 1 gives a longer memory.
        max_phase: largest angle of an eigenvalue, in radians, in (0, 2 pi]; a small value gives slowly changing units.

    Raises:
        ValueError: a size is below 1, the radii violate 0 <= min_radius < max_radius <= 1, or the phase is outside (0, 2 pi].

    References:
        Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu & De (2023), "Resurrecting recurrent neural networks for long
        sequences", arXiv:2303.06349, section 3.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        min_radius: float = 0.0,
        max_radius: float = 1.0,
        max_phase: float = 6.283,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        if not 0 <= min_radius < max_radius <= 1:
            raise ValueError(
                f"the radii of the ring are {min_radius} and {max_radius}, but eigenvalues lie inside the unit circle; "
                "give 0 <= min_radius < max_radius <= 1"
            )
        if not 0 < max_phase <= 2 * torch.pi:
            raise ValueError(f"max_phase is {max_phase}, but an angle is above 0 and at most 2 pi; give such an angle")
        self.input_size = self.output_size = input_size
        self.hidden_size = hidden_size
        squared = min_radius**2 + (max_radius**2 - min_radius**2) * torch.rand(hidden_size, dtype=torch.float64)
        squared = squared.clamp(NARROWEST, WIDEST)
        phase = max_phase * torch.rand(hidden_size, dtype=torch.float64).clamp(min=NARROWEST)
        dtype = torch.get_default_dtype()
        self.log_decay_rate = nn.Parameter((-squared.log() / 2).log().to(dtype))
        self.log_phase = nn.Parameter(phase.log().to(dtype))
        self.log_input_scale = nn.Parameter(((1 - squared).log() / 2).to(dtype))
        self.input_weight = nn.Parameter(torch.randn(2, hidden_size, input_size) / (2 * input_size) ** 0.5)
        self.output_weight = nn.Parameter(torch.randn(2, input_size, hidden_size) / hidden_size**0.5)
        self.skip = nn.Parameter(torch.randn(input_size))

    @property
    def eigenvalues(self) -> Float[Tensor, "2 hidden"]:
        r"""The real and imaginary parts of $\lambda$."""
        radius, phase = torch.exp(-self.log_decay_rate.exp()), self.log_phase.exp()
        return torch.stack([radius * phase.cos(), radius * phase.sin()])

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> LRUState:
        """Return a complex hidden vector of zeros."""
        return LRUState(modes=torch.zeros(batch_size, 2, self.hidden_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: LRUState
    ) -> tuple[Float[Tensor, "batch input"], LRUState]:
        """Take one step."""
        modes = complex_product(self.eigenvalues, state.modes) + self._added(x)
        return self._output(x, modes), LRUState(modes=modes)

    def fused(self, backend: str) -> FusedRun[LRUState] | None:
        """Return a run in parallel over time; on the CPU it is memtape's fused kernel."""
        scan = ENGINES.get(backend)
        return None if scan is None or type(self) is not LRUCell else StartsInside(partial(self._scanned, scan))

    def _scanned(
        self, scan: ScanEngine, xs: Tensor, state: LRUState, lengths: Tensor | None, starts: Starts[LRUState] | None
    ) -> tuple[Tensor, LRUState]:
        steps = ComplexDiagonal(decay=self.eigenvalues[None, None], added=self._added(xs))
        modes, last = scan(steps, state.modes, lengths, starts and starts.of(starts.state.modes))
        return padding.zero_beyond(self._output(xs, modes), lengths), LRUState(modes=last)

    def _added(self, x: Float[Tensor, "*batch input"]) -> Float[Tensor, "*batch 2 hidden"]:
        weight = (
            self.log_input_scale.exp()[:, None] * self.input_weight
        )  # scaled here, as there are fewer weights than steps
        return functional.linear(x, weight.flatten(0, 1)).unflatten(-1, (2, self.hidden_size))

    def _output(
        self, x: Float[Tensor, "*batch input"], modes: Float[Tensor, "*batch 2 hidden"]
    ) -> Float[Tensor, "*batch input"]:
        real, imaginary = self.output_weight.unbind()
        return functional.linear(modes.flatten(-2), torch.cat([real, -imaginary], dim=1)) + self.skip * x
