"""Allocation: which slots of a Differentiable Neural Computer are free (Graves et al. 2016, "Dynamic memory allocation")."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.ops.near_ties import NEAR_TIE, least_first


def retention(
    free_gates: Float[Tensor, "batch reads"], read_weights: Float[Tensor, "batch reads slots"]
) -> Float[Tensor, "batch slots"]:
    r"""Return how much of each slot no read head frees.

    $$\psi_t[i] = \prod_r \bigl(1 - f_t^r\, w_{t-1}^{r}[i]\bigr)$$

    Args:
        free_gates: $f_t^r$ in $[0, 1]$; 1 frees what the head has just read.
        read_weights: $w_{t-1}^r$, where each head read in the step before.

    Returns:
        $\psi_t$, 1 where nothing is freed.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, Methods, "Dynamic memory allocation".
    """
    kept = torch.ones_like(read_weights[:, 0])
    for gate, weights in zip(free_gates.unbind(1), read_weights.unbind(1), strict=True):
        kept = kept * (1 - gate[:, None] * weights)
    return kept


def usage_after(
    usage: Float[Tensor, "batch slots"],
    write_weights: Float[Tensor, "batch writes slots"],
    retained: Float[Tensor, "batch slots"],
) -> Float[Tensor, "batch slots"]:
    r"""Count as used what was written in the step before, but not what is now freed.

    $$u_t = \Bigl(u_{t-1} + (1 - u_{t-1}) \bigl(1 - \textstyle\prod_h (1 - w_{t-1}^h)\bigr)\Bigr) \odot \psi_t$$

    which for one write head is $(u_{t-1} + w_{t-1} - u_{t-1} \odot w_{t-1}) \odot \psi_t$; for several it is computed as this,
    head by head.

    Args:
        usage: $u_{t-1}$ in $[0, 1]$.
        write_weights: $w_{t-1}^h$, where each head wrote in the step before.
        retained: $\psi_t$, from `retention`.

    Returns:
        $u_t$ in $[0, 1]$.

    References:
        Graves et al. (2016), Nature 538, doi:10.1038/nature20101, Methods, "Dynamic memory allocation"; several write heads
        as in the authors' code.
    """
    for weights in write_weights.unbind(1):
        usage = usage + (1 - usage) * weights
    return usage * retained


def allocation_weights(
    usage: Float[Tensor, "batch slots"], *, tolerance: float = NEAR_TIE
) -> Float[Tensor, "batch slots"]:
    r"""Focus on the slot that is used least, and on the next ones as far as it is used itself.

    $$a[\phi_j] = (1 - u[\phi_j]) \prod_{i < j} u[\phi_i], \qquad u[\phi_1] \le u[\phi_2] \le \dots$$

    Slots that are used alike, within the tolerance, are taken in their order. The gradient flows through the usages, not
    through their order. Products are exact, not sums of logarithms, which would leave traces of weight on the wrong slots.

    Args:
        usage: $u$ in $[0, 1]$.
        tolerance: largest difference of usages that are alike; 0 leaves it to rounding which of them is taken first.

    Returns:
        $a$; it sums to $1 - \prod_i u[i]$, to 0 if there is no room at all.

    Example:
        >>> import torch
        >>> allocation_weights(torch.tensor([[0.5, 0.2, 0.2, 1.0]]))
        tensor([[0.0200, 0.8000, 0.1600, 0.0000]])

    References:
        Graves et al. (2016), Nature 538, doi:10.1038/nature20101, Methods, "Dynamic memory allocation".
    """
    order = least_first(usage, tolerance=tolerance)
    ascending = usage.gather(-1, order)
    taken = torch.cumprod(torch.cat([torch.ones_like(usage[:, :1]), ascending[:, :-1]], dim=-1), dim=-1)
    return torch.zeros_like(usage).scatter(-1, order, (1 - ascending) * taken)
