"""Statistics: the interval of the share of solved seeds, and quartiles."""

import math
from statistics import NormalDist, quantiles

CONFIDENCE = 0.95


def wilson_interval(solved: int, trained: int) -> tuple[float, float]:
    """Return the 95% Wilson interval of the probability that a seed is solved.

    Unlike the normal approximation, it is valid for few seeds, and if none or all are solved.

    Args:
        solved: number of solved seeds.
        trained: number of seeds, at least 1.

    References:
        Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, weight = solved / trained, z * z / trained
    centre = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / trained + weight / (4 * trained)) / (1 + weight)
    return max(0.0, centre - half), min(1.0, centre + half)


def quartiles(values: list[int] | list[float]) -> dict[str, float] | None:
    """Return the median and both quartiles, by linear interpolation between values; None without any value."""
    if not values:
        return None
    low, middle, high = values * 3 if len(values) == 1 else quantiles(values, method="inclusive")
    return {"low": float(low), "median": float(middle), "high": float(high)}
