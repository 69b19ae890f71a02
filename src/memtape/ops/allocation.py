"""Allocation: usage and allocation of slots in the Differentiable Neural Computer (Graves et al. 2016)."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.ops.near_ties import NEAR_TIE, least_first


def retention(
    free_gates: Float[Tensor, "batch reads"], read_weights: Float[Tensor, "batch reads slots"]
) -> Float[Tensor, "batch slots"]:
    r"""Compute the retention of each slot: the share that no read head frees.

    $$\psi_t[i] = \prod_r \bigl(1 - f_t^r\, w_{t-1}^{r}[i]\bigr)$$

    Args:
        free_gates: $f_t^r$ in $[0, 1]$; 1 frees the slots that the head read at the previous step.
        read_weights: $w_{t-1}^r$, the read weights of the previous step.

    Returns:
        $\psi_t$ in $[0, 1]$; 1 where nothing is freed.

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
    r"""Update the usage of the slots: the writes of the previous step raise it, freeing lowers it.

    $$u_t = \Bigl(u_{t-1} + (1 - u_{t-1}) \bigl(1 - \textstyle\prod_h (1 - w_{t-1}^h)\bigr)\Bigr) \odot \psi_t$$

    For one write head this is $(u_{t-1} + w_{t-1} - u_{t-1} \odot w_{t-1}) \odot \psi_t$; for several heads it is computed
    head by head.

    Args:
        usage: $u_{t-1}$ in $[0, 1]$.
        write_weights: $w_{t-1}^h$, the write weights of the previous step.
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
    r"""Compute the allocation weights: they address the least used slot, and further slots in so far as that one is used.

    $$a[\phi_j] = (1 - u[\phi_j]) \prod_{i < j} u[\phi_i], \qquad u[\phi_1] \le u[\phi_2] \le \dots$$

    Usages that are equal within the tolerance are sorted by slot number. The gradient flows through the usages, not through
    the sort order. Products are computed exactly, not as sums of logarithms, since a small weight on the wrong slot would
    later break ties.

    Args:
        usage: $u$ in $[0, 1]$.
        tolerance: largest difference of usages that count as equal; with 0, rounding decides their order.

    Returns:
        $a$; it sums to $1 - \prod_i u[i]$, which is 0 if all slots are in use.

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
