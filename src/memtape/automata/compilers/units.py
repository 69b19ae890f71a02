"""Units: one hidden unit for each configuration of a machine, of which exactly one is active."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LARGE = 1000.0
"""A logit at which sigmoid, tanh and softmax are exactly 0 or 1: exp(-1000) is 0 in float64."""

FLOAT32_GAIN, FLOAT64_GAIN = 20.0, 40.0
"""Gains from which on tanh(gain / 2) rounds to 1 in each dtype, so that the states are exactly -1 and 1."""


@dataclass(frozen=True, kw_only=True)
class Units:
    r"""The weights of units in the code of 0 and 1, from which those of a layer with another code are computed.

    $$u_t = \Theta(W u_{t-1} + s (1 - d_{t-1}) + X x_t + b)$$

    $u$ has one unit for each configuration, $\Theta(1) = 1$ and $\Theta(z) = 0$ for every integer $z \le 0$. $d$ is one more
    unit, 0 before the first step and 1 after it. So the zero vector, with which recurrent layers start, represents the start.

    Attributes:
        recurrent: $W$.
        start: $s$, 1 for the units that can be active after the first step.
        inputs: $X$.
        bias: $b$.
    """

    recurrent: Float[Tensor, "units units"]
    start: Float[Tensor, " units"]
    inputs: Float[Tensor, "units input"]
    bias: Float[Tensor, " units"]

    @property
    def predecessors(self) -> int:
        """The largest number of units from which one unit can follow."""
        return int(self.recurrent.sum(dim=1).max())

    def of_relu(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return recurrent weights, input weights and biases of rectified units, the unit $d$ last."""
        recurrent = torch.cat([self.recurrent, -self.start[:, None]], dim=1)
        return _with_started(recurrent, self.inputs, self.bias + self.start, started=1.0)

    def of_tanh(self, gain: float) -> tuple[Tensor, Tensor, Tensor]:
        r"""Return the same of tanh units, with the states -1 and 1, and 0 before the first step.

        $$h_t = \tanh\bigl(g (W h_{t-1} / 2 + (W 1 / 2 - s) d_{t-1} + X x_t + b + s - 1/2)\bigr)$$

        Args:
            gain: $g$, the steepness of the units.
        """
        after = self.recurrent.sum(dim=1) / 2 - self.start
        recurrent = gain * torch.cat([self.recurrent / 2, after[:, None]], dim=1)
        return _with_started(
            recurrent, gain * self.inputs, gain * (self.bias + self.start - 0.5), started=max(gain, FLOAT64_GAIN)
        )


def relu_readout(weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights and biases of a linear layer on rectified units that equals one on $u$."""
    return torch.cat([weights, torch.zeros(len(weights), 1, dtype=weights.dtype)], dim=1), bias


def tanh_readout(weights: Tensor, bias: Tensor, *, high: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return weights and biases of a linear layer on tanh units that equals one on $u$, after the first step.

    Args:
        weights: the weights on $u$.
        bias: the biases.
        high: the state of an active unit.
    """
    own = weights / (2 * high)
    return torch.cat([own, own.sum(dim=1, keepdim=True)], dim=1), bias


def least_gain(predecessors: int) -> float:
    r"""Return the least gain of tanh units at which one active unit stays distinguishable at any length.

    The states have an error of at most $\epsilon$ at any length if $\epsilon = 1 - \tanh(g (1 - m \epsilon) / 2)$ has a
    solution.

    Args:
        predecessors: $m$, the largest number of units from which one unit can follow.
    """
    low, high = 0.0, FLOAT64_GAIN
    while high - low > 1e-6:
        middle = (low + high) / 2
        errors = torch.linspace(0, 1 / predecessors, 20_001, dtype=torch.float64)
        possible = 1 - torch.tanh(middle * (1 - predecessors * errors) / 2) <= errors
        low, high = (low, middle) if bool(possible[:-1].any()) else (middle, high)
    return high


def _with_started(recurrent: Tensor, inputs: Tensor, bias: Tensor, *, started: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights with those of the unit that is active from the first step on."""
    row = torch.zeros(1, recurrent.shape[1], dtype=recurrent.dtype)
    none = torch.zeros(1, inputs.shape[1], dtype=inputs.dtype)
    return torch.cat([recurrent, row]), torch.cat([inputs, none]), torch.cat([bias, bias.new_tensor([started])])
