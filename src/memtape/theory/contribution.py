"""Contribution: how much each input contributes to the last state, as a bound and as measured."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.recurrent import Recurrent


def contribution_bound(intervals: Sequence[int], decay: float) -> float:
    r"""Return the lower bound of the mean contribution of all inputs to the last state, relative to that of the last input.

    The memory is written at the end of each interval but the last. Within an interval of length l the contributions of the
    inputs fall by the factor $\lambda$ from step to step:

    $$\frac{I_\lambda}{C} = \frac{1}{T} \sum_i f_\lambda(l_i), \qquad f_\lambda(l) = \frac{1 - \lambda^l}{1 - \lambda}, \qquad
    T = \sum_i l_i$$

    and $f_1(l) = l$. Since $f_\lambda$ is concave, equal intervals have the largest bound.

    Args:
        intervals: the lengths $l_1 \dots l_{D+1}$ of the intervals, in steps; one interval is a network that never writes.
        decay: $\lambda$, in (0, 1].

    Raises:
        TypeError: a length is not an integer.
        ValueError: there is no interval, a length is below 0, all are 0, or the decay is outside (0, 1].

    References:
        Le, Tran & Venkatesh (2019), "Learning to remember more with less memorization", arXiv:1901.01347, theorem 2.

    Example:
        >>> round(contribution_bound([10, 10, 10, 10, 10], 0.9), 5), round(contribution_bound([50], 0.9), 5)
        (0.65132, 0.19897)
    """
    for length in intervals:
        checks.at_least(0, interval=length)
    total = sum(intervals)
    if not total:
        raise ValueError(f"intervals are {list(intervals)}, but a sequence needs a step; give a positive length")
    if not 0 < decay <= 1:
        raise ValueError(f"decay is {decay}, but it must be above 0 and at most 1; give a number in (0, 1]")
    if decay == 1:
        return 1.0
    return sum((1 - decay**length) / (1 - decay) for length in intervals) / total


def uniform_intervals(steps: int, writes: int) -> list[int]:
    """Return intervals of equal length, up to one step, which have the largest bound.

    Args:
        steps: number of steps of the sequence, T.
        writes: number of writes, D.

    Raises:
        TypeError: a number is not an integer.
        ValueError: there is no step, or the number of writes is negative.

    Example:
        >>> uniform_intervals(50, 3)
        [13, 13, 12, 12]
    """
    checks.at_least(1, steps=steps)
    checks.at_least(0, writes=writes)
    shortest, longer = divmod(steps, writes + 1)
    return [shortest + (number < longer) for number in range(writes + 1)]


def contributions(
    network: Recurrent[Any], xs: Float[Tensor, "batch time input"], select: Callable[[Any], Tensor]
) -> Float[Tensor, "batch time"]:
    r"""Measure the contribution of each input to a vector of the last state.

    $$c_i = \left\| \frac{\partial h_T}{\partial x_i} \right\|$$

    with the Frobenius norm of the Jacobian matrix. It takes a backward pass for each entry of the vector.

    Args:
        network: the network; it runs in evaluation mode.
        xs: the inputs, all of full length.
        select: function that returns $h_T$, of shape (batch, hidden), from the last state.

    Raises:
        ValueError: the inputs are symbols, which have no gradient.

    References:
        Le, Tran & Venkatesh (2019), arXiv:1901.01347, section 2.2.

    Example:
        >>> import memtape, torch
        >>> gru = memtape.GRU(input_size=2, output_size=3, hidden_size=4)
        >>> contributions(gru, torch.randn(5, 7, 2), lambda state: state.hidden).shape
        torch.Size([5, 7])
    """
    if not xs.is_floating_point():
        raise ValueError(f"xs are {xs.dtype} symbols, which have no gradient; give their one-hot vectors")
    xs = xs.detach().clone().requires_grad_()
    with evaluation_mode(network), torch.enable_grad():
        hidden = select(network(xs)[1])
        squares = torch.zeros(xs.shape[:2], dtype=xs.dtype, device=xs.device)
        for unit in range(hidden.shape[-1]):
            (gradient,) = torch.autograd.grad(hidden[:, unit].sum(), xs, retain_graph=True)
            squares += gradient.square().sum(-1)
    return squares.sqrt()
