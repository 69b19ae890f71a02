"""Log with zero: a logarithmic axis that can show an exact zero."""

import math
from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

# Smaller values count as zero in every metric drawn here, and more decades would flatten the others.
_SMALLEST_DECADE = -4
_MOST_DECADES = 7
# Values within this factor would share one or two ticks of a logarithmic axis.
_NARROW = 5.0


def log_axis_with_zero(axes: Axes, values: Iterable[float]) -> str:
    """Make the y axis logarithmic, with a shaded linear strip at the bottom if there is a zero.

    It stays linear if all values are close together, such as the bits of a language model.

    Args:
        axes: the axes to change.
        values: all values to draw; those that are not finite are ignored.

    Returns:
        the text for the axis if there is such a strip, otherwise an empty text.

    Raises:
        ValueError: a value is negative.
    """
    finite = [value for value in values if math.isfinite(value)]
    if min(finite, default=0) < 0:
        raise ValueError(f"a value is {min(finite)}, but costs and errors are at least 0; check how they were computed")
    positive = [value for value in finite if value > 0]
    if not positive:
        axes.set_ylim(-0.05, 1)
        axes.yaxis.set_major_locator(FixedLocator([0, 1]))
        return ""
    if len(positive) == len(finite) and max(positive) < _NARROW * min(positive):
        spare = 0.06 * (max(positive) - min(positive)) or 0.5 * max(positive)
        axes.set_ylim(min(positive) - spare, max(positive) + 2 * spare)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        return ""
    lowest, highest = _decade(min(positive)), math.ceil(math.log10(max(positive)) + 1e-9)
    lowest = min(max(lowest, _SMALLEST_DECADE), highest - 1)
    stride = max(1, math.ceil((highest - lowest) / _MOST_DECADES))
    ticks = [10.0**power for power in range(lowest, highest + 1, stride)]
    threshold, top = 10.0**lowest, 1.7 * max(positive)
    note = ""
    if len(positive) == len(finite) and min(positive) >= threshold:
        axes.set_yscale("log")
        axes.set_ylim(threshold, max(top, 10 * threshold))
    else:
        axes.set_yscale("symlog", linthresh=threshold, linscale=0.6)
        axes.set_ylim(-0.2 * threshold, max(top, 10 * threshold))
        axes.axhspan(-threshold, threshold, color="#f4f4f4", linewidth=0, zorder=0)
        note = f"linear below {threshold:g}"
        ticks = [0.0, *ticks]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return note


def _decade(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)
