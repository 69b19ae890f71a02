"""Sliding window: attention in which each query has its own window of the slots, one slot further than that before."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def window_scores(
    queries: Float[Tensor, "batch queries width"], keys: Float[Tensor, "batch slots width"]
) -> Float[Tensor, "batch queries window"]:
    r"""Score each query with the keys of its window by their dot products.

    $$e_{ti} = s_t^\top k_{t+i}, \qquad i = 0 \dots M - 1$$

    All pairs are multiplied in one matrix product, of which the band is kept: the windows themselves are never copied.

    Args:
        queries: $s$, $T$ of them.
        keys: $k$, of $T + M - 1$ slots.

    Returns:
        $e$.
    """
    return band(queries @ keys.mT)


def band(pairs: Float[Tensor, "batch queries slots"]) -> Float[Tensor, "batch queries window"]:
    r"""Keep the band of a matrix that has the windows.

    $$e_{ti} = a_{t,t+i}, \qquad i = 0 \dots M - 1$$

    Args:
        pairs: $a$, of $T$ queries and $T + M - 1$ slots.

    Returns:
        $e$.
    """
    batch, count, slots = pairs.shape
    rows = functional.pad(pairs.reshape(batch, count * slots), (0, count))
    return rows.reshape(batch, count, slots + 1)[..., : slots - count + 1]


def read_windows(
    values: Float[Tensor, "batch slots width"], weights: Float[Tensor, "batch queries window"]
) -> Float[Tensor, "batch queries width"]:
    r"""Read the slots of each window with weights.

    $$r_t = \sum_{i=0}^{M-1} w_{ti} v_{t+i}$$

    Args:
        values: $v$, of $T + M - 1$ slots.
        weights: $w$, of $T$ windows of $M$ slots.

    Returns:
        $r$.
    """
    (batch, count, _), slots = weights.shape, values.shape[1]
    band = functional.pad(weights, (0, count)).reshape(batch, count * (slots + 1))
    return band[:, : count * slots].reshape(batch, count, slots) @ values
