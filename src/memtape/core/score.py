"""Score: a number that measures a network's outputs, and whether higher or lower is better."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Score:
    """A number that measures a network's outputs."""

    name: str
    """Name in metrics and results, such as "cost_bits"."""
    label: str
    """Label of an axis, such as "cost, bits per sequence"."""
    short: str
    """Short label of one or two words, such as "bits"."""
    higher_is_better: bool = False
    can_be_negative: bool = False
    """Whether values below 0 are possible although lower is better, such as those of a difference to a bound of the mean,
    on few sequences."""

    def cost(self, value: float) -> float:
        """Return the value with the sign for which lower is better."""
        return -value if self.higher_is_better else value

    def reaches(self, value: float, goal: float) -> bool:
        """Return whether a value is at least as good as a goal."""
        return self.cost(value) <= self.cost(goal)
