"""Agreement: whether new seeds of a recipe agree with those of the ledger.

The median of the new seeds must lie in the range of the ledger's seeds, widened on both sides by the largest of

- the range itself, since a few seeds span less than many;
- 0.05, for scores where more is better, which are fractions such as accuracy;
- for other scores, a tenth of the ledger's median, and a twentieth of its largest median at any length, so that a
  ledger of zero wrong bits allows a few.

The 95% intervals (Wilson 1927) of the shares of solved seeds must overlap. Test lengths beyond those of training are
shown but not compared, since extrapolation varies from seed to seed by orders of magnitude. By this rule, one seed of
the ledger agrees with the others of its recipe in nine of ten cases (312 seeds), and so does the median of three.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from memtape.core.score import Score
from memtape.experiments.ledger import Result, Spread, score_of

OF_SHARE = 0.05
OF_MEDIAN = 0.1
OF_LARGEST = 0.05


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A metric of new seeds beside the ledger."""

    metric: str
    ledger: Spread
    allowed: tuple[float, float]
    new: float
    """The median over the new seeds."""
    judged: bool
    """Whether the metric is compared; false for lengths beyond those of training."""

    @property
    def agrees(self) -> bool:
        """Whether the new median lies in the allowed range."""
        return self.allowed[0] <= self.new <= self.allowed[1]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """New seeds beside the ledger."""

    comparisons: Sequence[Comparison]
    shares_overlap: bool
    """Whether the intervals of the shares of solved seeds overlap."""

    @property
    def disagreements(self) -> list[Comparison]:
        """The compared metrics that are outside the allowed range."""
        return [one for one in self.comparisons if one.judged and not one.agrees]

    @property
    def agrees(self) -> bool:
        """Whether all compared metrics and the shares agree; false if no seed finished training."""
        return bool(self.comparisons) and self.shares_overlap and not self.disagreements


def agreement(ledger: Result, new: Result, *, scored: Sequence[Score], longest: int) -> Agreement:
    """Compare new seeds with those of the ledger.

    Args:
        ledger: the seeds of the ledger.
        new: the new seeds.
        scored: the scores of the task.
        longest: the longest length of training, in the task's unit.
    """
    (low, high), (new_low, new_high) = ledger.interval, new.interval
    return Agreement(
        comparisons=[
            Comparison(
                metric=metric,
                ledger=ledger.spread(metric),
                allowed=allowed(ledger, metric, scored),
                new=median(seed["metrics"][metric] for seed in new.finished),
                judged=not (_suffix(metric).isdecimal() and int(_suffix(metric)) > longest),
            )
            for metric in ledger.metrics
            if metric in new.metrics
        ],
        shares_overlap=max(low, new_low) <= min(high, new_high),
    )


def allowed(ledger: Result, metric: str, scored: Sequence[Score]) -> tuple[float, float]:
    """Return the range that the median of new seeds must lie in."""
    spread = ledger.spread(metric)
    if any(score.higher_is_better for score in scored if score.name == score_of(metric)):
        wider = OF_SHARE
    else:
        largest = max(
            abs(ledger.spread(other).median) for other in ledger.metrics if score_of(other) == score_of(metric)
        )
        wider = max(OF_MEDIAN * abs(spread.median), OF_LARGEST * largest)
    wider = max(wider, spread.high - spread.low)
    return spread.low - wider, spread.high + wider


def _suffix(metric: str) -> str:
    return metric.rpartition("_")[2]
