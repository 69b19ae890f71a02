"""Dense associative memory: energies that grow faster than the square of the overlap, for more patterns than units."""

from typing import Final, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

Interaction: TypeAlias = Literal["power", "rectified", "exponential"]
"""How much a pattern contributes: a power of its overlap, that of a positive overlap alone, or an exponential function."""

INTERACTIONS: Final = ("power", "rectified", "exponential")


def dense_energy(
    overlaps: Float[Tensor, "*batch patterns"], interaction: Interaction = "rectified", degree: int = 3
) -> Float[Tensor, "*batch"]:
    r"""Return the energy of states from their overlaps with the patterns.

    $$E = -\sum_\mu F(\xi^\mu \cdot s), \qquad F(x) = x^n, \quad \max(x, 0)^n \quad \text{or} \quad e^x$$

    For the exponential function it is $-\log \sum_\mu e^{\xi^\mu \cdot s}$, which has the same order and does not overflow.
    With "power" and degree 2 it is, up to a factor and a constant, the energy of a Hopfield network.

    Args:
        overlaps: $\xi^\mu \cdot s$.
        interaction: $F$.
        degree: $n$; without effect for "exponential".

    References:
        Krotov & Hopfield (2016), "Dense associative memory for pattern recognition", arXiv:1606.01164, eq. 1; exponential:
        Demircigil, Heusel, Löwe, Upgang & Vermet (2017), "On a model of associative memory with huge storage capacity",
        arXiv:1702.01929.
    """
    if interaction == "exponential":
        return -torch.logsumexp(overlaps, -1)
    return -(_kept(overlaps, interaction) ** degree).sum(-1)


def dense_field(
    bits: Float[Tensor, " patterns"],
    rest: Float[Tensor, "*batch patterns"],
    interaction: Interaction = "rectified",
    degree: int = 3,
) -> Float[Tensor, "*batch"]:
    r"""Return by how much less energy one unit has at 1 than at -1, up to a positive factor; its sign is the next state.

    $$h_i = \sum_\mu F(\xi^\mu_i + r^\mu_i) - F(-\xi^\mu_i + r^\mu_i), \qquad r^\mu_i = \sum_{j \ne i} \xi^\mu_j s_j$$

    A power is divided by the largest one, and the exponential function gives the difference of the logarithms, so that
    neither overflows.

    Args:
        bits: $\xi_i$, the entry of this unit in each pattern.
        rest: $r_i$, the overlap of each pattern with the other units.
        interaction: $F$.
        degree: $n$; without effect for "exponential".

    References:
        Krotov & Hopfield (2016), arXiv:1606.01164, eq. 2; Demircigil et al. (2017), arXiv:1702.01929.
    """
    up, down = rest + bits, rest - bits
    if interaction == "exponential":
        return torch.logsumexp(up, -1) - torch.logsumexp(down, -1)
    up, down = _kept(up, interaction), _kept(down, interaction)
    largest = torch.maximum(up.abs(), down.abs()).amax(-1, keepdim=True).clamp(min=1)
    return ((up / largest) ** degree - (down / largest) ** degree).sum(-1)


def _kept(overlaps: Tensor, interaction: Interaction) -> Tensor:
    """Return the overlaps that count."""
    return overlaps.relu() if interaction == "rectified" else overlaps
