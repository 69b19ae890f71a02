"""Gated linear: a gated linear unit (GLU) applied at each step."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear
from memtape.core.starts import Starts, StartsInside
from memtape.core.state import NoState


class GatedLinearCell(Cell[NoState]):
    r"""Apply a GELU and a gated linear unit to the input; there is no state.

    $$g_t = \operatorname{GELU}(x_t), \qquad y_t = (W g_t + b) \odot \sigma(V g_t + c)$$

    Args:
        input_size: size of $x_t$.
        output_size: size of $y_t$.

    Raises:
        ValueError: a size is below 1.

    References:
        Dauphin, Fan, Auli & Grangier (2017), "Language modeling with gated convolutional networks", arXiv:1612.08083; after a
        GELU as in the blocks of Orvieto et al. (2023), arXiv:2303.06349.
    """

    def __init__(self, input_size: int, output_size: int):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size)
        self.input_size, self.output_size = input_size, output_size
        self.layer = nn.Linear(input_size, 2 * output_size)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> NoState:
        """Return the empty state."""
        return NoState()

    def forward(self, x: Float[Tensor, "batch input"], state: NoState) -> tuple[Float[Tensor, "batch output"], NoState]:
        """Take one step."""
        return self._gated(x), state

    def fused(self, backend: str) -> FusedRun[NoState] | None:
        """Return a run that computes all steps at once."""
        known = type(self) is GatedLinearCell and are_linear(self.layer)
        return StartsInside(self._whole) if backend in ("cpu", "scan") and known else None

    def _whole(
        self, xs: Tensor, state: NoState, lengths: Tensor | None, starts: Starts[NoState] | None
    ) -> tuple[Tensor, NoState]:
        return padding.zero_beyond(self._gated(xs), lengths), state

    def _gated(self, x: Float[Tensor, "*batch input"]) -> Float[Tensor, "*batch output"]:
        return functional.glu(self.layer(functional.gelu(x)), dim=-1)
