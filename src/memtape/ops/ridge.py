"""Ridge: a linear readout in closed form."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.state import state


@state
class RidgeSums:
    """What a readout depends on of the data: sums over steps, in float64, that batches can be added to."""

    squares: Float[Tensor, "feature feature"]
    products: Float[Tensor, "feature output"]

    def __add__(self, other: "RidgeSums") -> "RidgeSums":
        """Return the sums over the steps of both."""
        return RidgeSums(squares=self.squares + other.squares, products=self.products + other.products)


def ridge_sums(features: Float[Tensor, "step feature"], targets: Float[Tensor, "step output"]) -> RidgeSums:
    """Return the sums over some steps.

    Args:
        features: what the readout sees, one step a row; a feature of 1 everywhere gives it a bias.
        targets: what it should return.
    """
    features, targets = features.double(), targets.double()
    return RidgeSums(squares=features.T @ features, products=features.T @ targets)


def ridge_readout(sums: RidgeSums, penalty: float) -> Float[Tensor, "feature output"]:
    r"""Return the readout that is best on data of these sums.

    $$W = (H^\top H + \beta I)^{-1} H^\top Y$$

    Args:
        sums: those of all steps.
        penalty: the weight $\beta$ of the squared entries of $W$, which a bias has too.

    Returns:
        The matrix $W$ in float64, so that `features @ W` comes close to the targets.

    Raises:
        ValueError: a penalty that is not positive, or too small for features that depend on each other.

    References:
        Hoerl & Kennard (1970), "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12,
        doi:10.1080/00401706.1970.10488634.
    """
    checks.positive(penalty=penalty)
    identity = torch.eye(len(sums.squares), dtype=sums.squares.dtype, device=sums.squares.device)
    factor, failed = torch.linalg.cholesky_ex(sums.squares + penalty * identity)
    if failed:
        raise ValueError(
            f"penalty is {penalty}, but the features depend on each other so closely that this leaves no single best readout; "
            "give a larger one"
        )
    return torch.cholesky_solve(sums.products, factor)


def ridge(
    features: Float[Tensor, "step feature"], targets: Float[Tensor, "step output"], penalty: float
) -> Float[Tensor, "feature output"]:
    """Return the readout that is best on some steps: `ridge_readout` of their `ridge_sums`."""
    return ridge_readout(ridge_sums(features, targets), penalty)
