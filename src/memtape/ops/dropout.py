"""Dropout: numbers left out by chance."""

import torch
from jaxtyping import Float
from torch import Tensor


def dropout(x: Float[Tensor, "*axes"], rate: float) -> Float[Tensor, "*axes"]:
    r"""Set a share of the numbers to 0, each by itself, and scale the others up so that their mean stays.

    $$y = \frac{m}{1 - p} \odot x, \qquad m \in \{0, 1\}, \quad P(m = 0) = p$$

    The mask is drawn from uniform numbers, which on a processor is faster than `torch.nn.functional.dropout`.

    Args:
        x: any numbers.
        rate: $p$, at least 0 and below 1; at 0 the numbers come back as they are.

    References:
        Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting", Journal of Machine
        Learning Research 15.
    """
    if not rate:
        return x
    kept = torch.rand(x.shape, device=x.device) >= rate
    return torch.where(kept, x / (1 - rate), 0)
