"""Orthogonal: a recurrent cell with an orthogonal recurrent matrix."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells.elman import HiddenState
from memtape.cells.fused_recurrence import loop_here
from memtape.cells.weight_gain import gain_by_hidden_size
from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear


class OrthogonalCell(Cell[HiddenState]):
    r"""Rotate the hidden vector by a learned orthogonal matrix at each step; the output is the hidden vector.

    $$h_t = f(W x_t + Q h_{t-1}), \qquad Q = e^{A - A^\top}, \qquad f(z) = \operatorname{sign}(z) \max(|z| + b, 0)$$

    The trained parameter is $A$, a strictly upper triangular matrix, so $Q$ stays orthogonal during training: the recurrence
    preserves the norm of the hidden vector, and of the gradient in the backward pass. $Q$ is initialised to rotations of pairs
    of units by angles drawn from $U(\pm\pi)$, and $b$ to 0, where $f$ is the identity. A single step computes the matrix
    exponential each time; a whole sequence computes it once.

    Args:
        input_size: size of $x_t$.
        hidden_size: size of $h_t$.
        gain: scale of the initial input weights, in units of $1/\sqrt{\text{hidden}}$.

    Raises:
        ValueError: a size is below 1.

    References:
        Lezcano-Casado & Martinez-Rubio (2019), "Cheap orthogonal constraints in neural networks", arXiv:1901.08428; the
        nonlinearity: Arjovsky, Shah & Bengio (2016), "Unitary evolution recurrent neural networks", arXiv:1511.06464; the
        angles: Henaff, Szlam & LeCun (2016), "Recurrent orthogonal networks and long-memory tasks", arXiv:1602.06662.
    """

    def __init__(self, input_size: int, hidden_size: int, *, gain: float = 1.0):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.output_size = hidden_size
        self.from_input = nn.Linear(input_size, hidden_size, bias=False)
        gain_by_hidden_size(self, hidden_size, gain)
        row, column = torch.triu_indices(hidden_size, hidden_size, offset=1)
        in_pairs = (row % 2 == 0) & (column == row + 1)
        angles = torch.empty(len(row)).uniform_(-math.pi, math.pi)
        self.angles = nn.Parameter(torch.where(in_pairs, angles, 0.0))
        self.threshold = nn.Parameter(torch.zeros(hidden_size))

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> HiddenState:
        """Return a hidden vector of zeros."""
        return HiddenState(hidden=torch.zeros(batch_size, self.output_size, device=device, dtype=dtype))

    def rotation(self) -> Float[Tensor, "hidden hidden"]:
        """Return the orthogonal matrix $Q$."""
        size = self.output_size
        row, column = torch.triu_indices(size, size, offset=1, device=self.angles.device)
        free = self.angles.new_zeros(size, size).index_put((row, column), self.angles)
        # The backward pass of the exponential scales its matrix by the gradient, which in float32 costs digits if it is large.
        wide = free.double() if free.device.type != "mps" else free  # the processors of Apple have no float64
        return torch.linalg.matrix_exp(wide - wide.mT).to(free.dtype)

    def forward(
        self, x: Float[Tensor, "batch input"], state: HiddenState
    ) -> tuple[Float[Tensor, "batch hidden"], HiddenState]:
        """Take one step."""
        hidden = self._turned(self.from_input(x), state.hidden, self.rotation())
        return hidden, HiddenState(hidden=hidden)

    def fused(self, backend: str) -> FusedRun[HiddenState] | None:
        """Return a CPU loop over time that computes $Q$ once."""
        return self._whole if loop_here(backend) and are_linear(self.from_input, bias=False) else None

    def _whole(self, xs: Tensor, state: HiddenState, lengths: Tensor | None) -> tuple[Tensor, HiddenState]:
        alive = None if lengths is None else padding.alive(xs, lengths)
        rotation, hidden = self.rotation(), state.hidden
        ys = []
        for t, seen in enumerate(self.from_input(xs).unbind(dim=1)):
            turned = self._turned(seen, hidden, rotation)
            hidden = turned if alive is None else torch.where(alive[:, t, None], turned, hidden)
            ys.append(turned)
        return padding.zero_beyond(torch.stack(ys, dim=1), lengths), HiddenState(hidden=hidden)

    def _turned(self, seen: Tensor, hidden: Tensor, rotation: Tensor) -> Tensor:
        total = seen + hidden @ rotation.mT
        return torch.sign(total) * torch.relu(total.abs() + self.threshold)
