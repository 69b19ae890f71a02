"""Strengths: the activation functions of key strengths."""

import math
from typing import Literal

from torch import Tensor
from torch.nn import functional

Strengths = Literal["oneplus", "softplus"]
STRENGTHS = ("oneplus", "softplus")
LEAST = {"oneplus": 1, "softplus": 0}


def strengths_of(raw: Tensor, strengths: Strengths) -> Tensor:
    r"""Return $\log(1 + e^{x})$ of the linear outputs $x$, plus 1 for oneplus.

    References:
        Graves et al. (2016), doi:10.1038/nature20101, Methods, "Interface parameters".
    """
    return LEAST[strengths] + functional.softplus(raw)


def raw_strength(strength: float, strengths: Strengths) -> float:
    """Return the linear output $x$ whose strength is the initial strength.

    Raises:
        ValueError: the strength is outside the range of the activation function.
    """
    least = LEAST[strengths]
    if not least < strength < math.inf:
        raise ValueError(
            f"initial_strength is {strength}, but {strengths} strengths are finite and above {least}; give such a number"
        )
    return strength - least + math.log(-math.expm1(least - strength))
