"""Correlation matrix: all pairs of keys and values in one matrix, and the crosstalk between them."""

import torch
from jaxtyping import Float
from torch import Tensor


def correlation_matrix(
    keys: Float[Tensor, "pairs key"], values: Float[Tensor, "pairs value"]
) -> Float[Tensor, "value key"]:
    r"""Store pairs as the sum of their outer products.

    $$M = \sum_p y^p (x^p)^\top$$

    The product $M x$ recalls: it is $y^p \|x^p\|^2$ and the crosstalk of the other pairs.

    Args:
        keys: $x$.
        values: $y$.

    References:
        Kohonen (1972), "Correlation matrix memories", IEEE Transactions on Computers C-21, doi:10.1109/TC.1972.5008975.

    Example:
        >>> import torch
        >>> keys, values = torch.eye(3)[:2], torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> correlation_matrix(keys, values) @ keys[1]
        tensor([3., 4.])
    """
    return values.mT @ keys


def crosstalk(keys: Float[Tensor, "pairs key"], values: Float[Tensor, "pairs value"]) -> Float[Tensor, "pairs value"]:
    r"""Return what the other pairs add to the recall of each value; it is 0 for orthogonal keys.

    $$c^q = \sum_{p \ne q} y^p \left(x^p \cdot x^q\right)$$

    Args:
        keys: $x$.
        values: $y$.

    References:
        Kohonen (1972), IEEE Transactions on Computers C-21, doi:10.1109/TC.1972.5008975.
    """
    return (keys @ keys.mT).fill_diagonal_(0) @ values


def optimal_matrix(
    keys: Float[Tensor, "pairs key"], values: Float[Tensor, "pairs value"]
) -> Float[Tensor, "value key"]:
    r"""Store pairs with the least squared error of recall, which is 0 for linearly independent keys.

    $$M = Y X^+$$

    where the columns of $X$ and $Y$ are keys and values.

    Args:
        keys: $x$.
        values: $y$.

    References:
        Kohonen & Ruohonen (1973), "Representation of associated data by matrix operators", IEEE Transactions on Computers
        C-22, doi:10.1109/TC.1973.5009138.
    """
    return values.mT @ torch.linalg.pinv(keys.mT)


def delta_write(
    matrix: Float[Tensor, "*batch value key"],
    keys: Float[Tensor, "*batch key"],
    values: Float[Tensor, "*batch value"],
    rate: float,
) -> Float[Tensor, "*batch value key"]:
    r"""Move the recall of a key towards its value (delta rule).

    $$M \leftarrow M + \eta \left(y - M x\right) x^\top$$

    Args:
        matrix: $M$.
        keys: $x$, one for each matrix.
        values: $y$.
        rate: $\eta$; 1 replaces the value of a key of unit length. Repeated over all pairs, it converges to `optimal_matrix`
            below $2 / \max \|x\|^2$.

    References:
        Widrow & Hoff (1960), "Adaptive switching circuits", IRE WESCON convention record 4.
    """
    error = values - (matrix @ keys.unsqueeze(-1)).squeeze(-1)
    return matrix + rate * error.unsqueeze(-1) * keys.unsqueeze(-2)
