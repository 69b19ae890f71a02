"""Fast weights: a matrix of recent hidden vectors that decays, and the same product as attention to these vectors."""

import torch
from jaxtyping import Float
from torch import Tensor


def fast_weights_after(
    fast: Float[Tensor, "*batch hidden hidden"], hidden: Float[Tensor, "*batch hidden"], decay: float, rate: float
) -> Float[Tensor, "*batch hidden hidden"]:
    r"""Let the fast weights decay, and add the outer product of the hidden vector with itself.

    $$A_t = \lambda A_{t-1} + \eta h_t h_t^\top$$

    Args:
        fast: $A_{t-1}$.
        hidden: $h_t$.
        decay: $\lambda$.
        rate: $\eta$.

    References:
        Ba, Hinton, Mnih, Leibo & Ionescu (2016), "Using fast weights to attend to the recent past", arXiv:1610.06258, eq. 1.
    """
    return decay * fast + rate * hidden.unsqueeze(-1) * hidden.unsqueeze(-2)


def attend_to_the_past(
    hidden: Float[Tensor, "*batch hidden"], past: Float[Tensor, "*batch steps hidden"], decay: float, rate: float
) -> Float[Tensor, "*batch hidden"]:
    r"""Multiply a vector by fast weights, without their matrix: attend to the past hidden vectors.

    $$A_t h = \eta \sum_{\tau=1}^{t} \lambda^{t-\tau} h_\tau \left(h_\tau^\top h\right)$$

    Args:
        hidden: $h$.
        past: $h_1 \dots h_t$.
        decay: $\lambda$.
        rate: $\eta$.

    References:
        Ba et al. (2016), arXiv:1610.06258, section 3.1.
    """
    steps = past.shape[-2]
    ages = torch.arange(steps - 1, -1, -1, dtype=past.dtype, device=past.device)
    scores = rate * decay**ages * (past @ hidden.unsqueeze(-1)).squeeze(-1)
    return (scores.unsqueeze(-2) @ past).squeeze(-2)
