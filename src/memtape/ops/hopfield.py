"""Hopfield: weights that make binary patterns the fixed points of a network, its fields, and its energy."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.ops.near_ties import NEAR_TIE


def hebbian_weights(patterns: Float[Tensor, "patterns units"]) -> Float[Tensor, "units units"]:
    r"""Store patterns by Hebb's rule: the mean of their outer products over the units, without self-connections.

    $$W = \frac{1}{n} \sum_p x^p (x^p)^\top, \qquad W_{ii} = 0$$

    Args:
        patterns: $x^p$, of entries 1 and -1.

    References:
        Hopfield (1982), "Neural networks and physical systems with emergent collective computational abilities", PNAS 79,
        doi:10.1073/pnas.79.8.2554.
    """
    return (patterns.mT @ patterns / patterns.shape[1]).fill_diagonal_(0)


def projection_weights(patterns: Float[Tensor, "patterns units"]) -> Float[Tensor, "units units"]:
    r"""Store patterns as the orthogonal projection on their span, without self-connections.

    $$W = X X^+, \qquad W_{ii} = 0$$

    where the columns of $X$ are the patterns. All patterns are fixed points, correlated ones too: $h_i = (1 - P_{ii}) x_i$ with
    the projection $P$.

    Args:
        patterns: $x^p$, of entries 1 and -1.

    References:
        Personnaz, Guyon & Dreyfus (1985), "Information storage and retrieval in spin-glass like neural networks", Journal de
        Physique Lettres 46, doi:10.1051/jphyslet:01985004608035900.
    """
    return (torch.linalg.pinv(patterns) @ patterns).fill_diagonal_(0)


def hopfield_energy(
    states: Float[Tensor, "*batch units"], weights: Float[Tensor, "units units"]
) -> Float[Tensor, "*batch"]:
    r"""Return the energy of states, which no update of a single unit raises.

    $$E = -\tfrac{1}{2} s^\top W s$$

    Args:
        states: $s$.
        weights: $W$, symmetric with a diagonal of 0.

    References:
        Hopfield (1982), PNAS 79, doi:10.1073/pnas.79.8.2554.
    """
    return -(states @ weights * states).sum(-1) / 2


def signs_of_fields(fields: Float[Tensor, "*units"], states: Float[Tensor, "*units"]) -> Float[Tensor, "*units"]:
    r"""Return the next state of units: the sign of the field, or the state itself at a field of 0.

    $$s_i \leftarrow \operatorname{sign}(h_i), \qquad h_i = \sum_j W_{ij} s_j$$

    A field up to `memtape.ops.near_ties.NEAR_TIE` counts as 0, so that the choice does not depend on rounding.

    Args:
        fields: $h$.
        states: $s$.
    """
    return torch.where(fields.abs() > NEAR_TIE, fields.sign(), states)
