"""Tape layout: the position of each panel of a tape, in integer pixels."""

from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memtape.viz.style import DPI

_WIDEST = 1210
"""Pixels of the panels on a page seven inches wide; only more steps than that make a wider figure."""

_NARROWEST = 420
_WIDEST_STEP = 20

_LEFT, _RIGHT, _HEAD_NAMES = 214, 122, 60
_TOP, _TITLE, _BOTTOM = 38, 36, 82
_BAR_OFFSET, _BAR_WIDTH, _TALLEST_BAR = 16, 12, 220
_GAP, _GROUP_GAP = 12, 30


def step_pixels(steps: int) -> int:
    """Return the width of one time step in integer pixels, so that all columns have the same width.

    Args:
        steps: number of steps on the time axis.
    """
    comfortable = max(_WIDEST_STEP, -(-_NARROWEST // steps))
    return max(1, min(_WIDEST // steps, comfortable))


def row_pixels(rows: int, budget: int, *, most: int, least: int = 1) -> int:
    """Return the height of one row in integer pixels, as many as the budget allows.

    Args:
        rows: number of rows that share the budget.
        budget: pixels for all of them.
        most: largest height of a row in pixels.
        least: least height of a row in pixels, even beyond the budget.
    """
    return max(least, min(most, budget // max(rows, 1)))


@dataclass(frozen=True)
class Place:
    """The height of a panel, and the group of panels that it belongs to."""

    height: int
    group: str


class Column:
    """Stack panels over one time axis, with their names at the left and colour bars at the right.

    Args:
        places: the panels from top to bottom.
        steps: number of time steps.
        title: whether to leave room for one above the panels.
        head_names: whether to leave room for them between the panels and the colour bars.
        below: pixels to leave free below the time axis.
    """

    def __init__(self, places: list[Place], steps: int, *, title: bool, head_names: bool, below: int = 0):
        self.steps = steps
        self.span = steps * step_pixels(steps)
        self.names = _HEAD_NAMES if head_names else 0
        top = _TOP + (_TITLE if title else 0)
        self.gaps = [_GAP if place.group == below.group else _GROUP_GAP for place, below in pairwise(places)]
        self.width = _LEFT + self.span + self.names + _RIGHT
        self.height = top + sum(place.height for place in places) + sum(self.gaps) + _BOTTOM + below
        self.figure = Figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI)
        self.panels: list[Axes] = []
        self.groups: dict[str, tuple[int, int]] = {}
        above = self.height - top
        for place, gap in zip(places, [*self.gaps, 0], strict=True):
            bottom = above - place.height
            shared = self.panels[0] if self.panels else None
            self.panels.append(self.figure.add_axes(self._box(_LEFT, bottom, self.span, place.height), sharex=shared))
            self.groups[place.group] = (bottom, self.groups.get(place.group, (0, above))[1])
            above = bottom - gap

    def bar(self, group: str) -> Axes:
        """Add the axes of a colour bar beside a group of panels, centred on it.

        Args:
            group: the group's name.
        """
        return self.bar_beside(*self.groups[group])

    def bar_beside(self, bottom: int, top: int) -> Axes:
        """Add the axes of a colour bar between two heights.

        Args:
            bottom: pixels from the bottom edge of the figure.
            top: pixels from the bottom edge of the figure.
        """
        height = min(top - bottom, _TALLEST_BAR)
        left = self.span + self.names + _BAR_OFFSET
        return self.add(left, (bottom + top - height) // 2, _BAR_WIDTH, height)

    def add(self, left: int, bottom: int, width: int, height: int) -> Axes:
        """Add axes at any position, such as below the time axis.

        Args:
            left: pixels from the left edge of the panels.
            bottom: pixels from the bottom edge of the figure.
            width: in pixels.
            height: in pixels.
        """
        return self.figure.add_axes(self._box(_LEFT + left, bottom, width, height))

    def _box(self, left: int, bottom: int, width: int, height: int) -> tuple[float, float, float, float]:
        return (left / self.width, bottom / self.height, width / self.width, height / self.height)
