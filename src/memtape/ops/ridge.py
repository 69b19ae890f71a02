"""Ridge: ridge regression of a linear readout, in closed form."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.state import state


@state
class RidgeSums:
    """The sufficient statistics of ridge regression: $H^T H$ and $H^T Y$ in float64; those of batches can be added."""

    squares: Float[Tensor, "feature feature"]
    products: Float[Tensor, "feature output"]

    def __add__(self, other: "RidgeSums") -> "RidgeSums":
        """Return the sums over the steps of both batches."""
        return RidgeSums(squares=self.squares + other.squares, products=self.products + other.products)


def ridge_sums(features: Float[Tensor, "step feature"], targets: Float[Tensor, "step output"]) -> RidgeSums:
    """Return the sums over the given steps.

    Args:
        features: the inputs $H$ of the readout, one step per row; a constant feature of 1 gives the readout a bias.
        targets: the targets $Y$ of the readout.
    """
    features, targets = features.double(), targets.double()
    return RidgeSums(squares=features.T @ features, products=features.T @ targets)


def ridge_readout(sums: RidgeSums, penalty: float) -> Float[Tensor, "feature output"]:
    r"""Solve ridge regression for the readout, given the sums over all steps.

    $$W = (H^\top H + \beta I)^{-1} H^\top Y$$

    Args:
        sums: the sums $H^\top H$ and $H^\top Y$ over all steps.
        penalty: $\beta$, the weight of the squared entries of $W$, including the bias.

    Returns:
        The matrix $W$ in float64; `features @ W` approximates the targets.

    Raises:
        ValueError: the penalty is not positive, or is too small for linearly dependent features.

    References:
        Hoerl & Kennard (1970), "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12,
        doi:10.1080/00401706.1970.10488634.
    """
    checks.positive(penalty=penalty)
    identity = torch.eye(len(sums.squares), dtype=sums.squares.dtype, device=sums.squares.device)
    factor, failed = torch.linalg.cholesky_ex(sums.squares + penalty * identity)
    if failed:
        raise ValueError(
            f"penalty is {penalty}, but the features are nearly linearly dependent, so that the readout is not unique; give a "
            "larger penalty"
        )
    return torch.cholesky_solve(sums.products, factor)


def ridge(
    features: Float[Tensor, "step feature"], targets: Float[Tensor, "step output"], penalty: float
) -> Float[Tensor, "feature output"]:
    """Fit the readout to the given steps: `ridge_readout` of their `ridge_sums`."""
    return ridge_readout(ridge_sums(features, targets), penalty)
