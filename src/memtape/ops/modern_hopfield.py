"""Modern Hopfield network: an update that is softmax attention, its energy, and the size of its metastable states."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def modern_hopfield_update(
    states: Float[Tensor, "*batch width"], patterns: Float[Tensor, "patterns width"], beta: float
) -> Float[Tensor, "*batch width"]:
    r"""Move states to the mean of the patterns, weighted by softmax attention.

    $$\xi \leftarrow X \operatorname{softmax}(\beta X^\top \xi)$$

    where the columns of $X$ are the patterns. No update raises the energy.

    Args:
        states: $\xi$.
        patterns: $X^\top$.
        beta: $\beta$, the inverse temperature.

    References:
        Ramsauer et al. (2020), "Hopfield networks is all you need", arXiv:2008.02217, eq. 3.
    """
    return torch.softmax(beta * states @ patterns.mT, -1) @ patterns


def modern_hopfield_energy(
    states: Float[Tensor, "*batch width"], patterns: Float[Tensor, "patterns width"], beta: float
) -> Float[Tensor, "*batch"]:
    r"""Return the energy of states, which is at least 0.

    $$E = -\frac{1}{\beta} \log \sum_i e^{\beta x_i^\top \xi} + \tfrac{1}{2} \xi^\top \xi + \frac{1}{\beta} \log N +
    \tfrac{1}{2} M^2, \qquad M = \max_i \|x_i\|$$

    Args:
        states: $\xi$.
        patterns: $x_1 \dots x_N$.
        beta: $\beta$, the inverse temperature.

    References:
        Ramsauer et al. (2020), arXiv:2008.02217, eq. 2.
    """
    attraction = torch.logsumexp(beta * states @ patterns.mT, -1) / beta
    constant = math.log(len(patterns)) / beta + patterns.square().sum(-1).max() / 2
    return states.square().sum(-1) / 2 - attraction + constant


def metastable_size(weights: Float[Tensor, "*batch slots"], share: float = 0.9) -> Int[Tensor, "*batch"]:
    r"""Return how many patterns share a state: the smallest number of weights whose sum reaches a share of all.

    It is 1 at a single pattern, and near the number of patterns at their mean. It applies to the weights of any attention.

    Args:
        weights: weights of attention; each row sums to 1.
        share: the share that the largest weights have to reach, in 0..1.

    References:
        Ramsauer et al. (2020), arXiv:2008.02217, section 3, where the share is 0.9.

    Example:
        >>> import torch
        >>> metastable_size(torch.tensor([[0.95, 0.03, 0.02], [0.5, 0.45, 0.05]]))
        tensor([1, 2])
    """
    sums = weights.sort(-1, descending=True).values.cumsum(-1)
    return 1 + (sums[..., :-1] < share).sum(-1)
