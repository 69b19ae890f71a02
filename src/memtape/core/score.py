"""Score: a number that a task gives to an answer, and which way is better."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Score:
    """A number that a task gives to an answer."""

    name: str
    """As it stands in metrics and results, such as "cost_bits"."""
    label: str
    """What it counts, for an axis, such as "cost, bits per sequence"."""
    short: str
    """The same in a word or two, such as "bits"."""
    higher_is_better: bool = False

    def cost(self, value: float) -> float:
        """Return the value so that less is better."""
        return -value if self.higher_is_better else value

    def reaches(self, value: float, goal: float) -> bool:
        """Tell whether a value is as good as a goal, or better."""
        return self.cost(value) <= self.cost(goal)
