"""Two views: two source sequences and the target symbols of their answer, shifted by one step."""

from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Integer
from torch import Tensor

from memtape.core import padding
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register
from memtape.core.integers import widened
from memtape.core.state import state


@state
class TwoViews:
    """The inputs of a network that answers from two sequences; the padding of shorter rows may have any value."""

    first: Integer[Tensor, "batch first_time"]
    """The symbols of the first view."""
    first_lengths: Integer[Tensor, " batch"]
    """Number of valid symbols of each first view."""
    second: Integer[Tensor, "batch second_time"]
    """The symbols of the second view."""
    second_lengths: Integer[Tensor, " batch"]
    """Number of valid symbols of each second view."""
    given: Integer[Tensor, "batch time"]
    """The targets shifted by one step, with `memtape.core.inputs.pairs.BOUNDARY` first."""

    def __post_init__(self) -> None:
        """Convert integers of any size to int64."""
        for name in ("first", "first_lengths", "second", "second_lengths", "given"):
            object.__setattr__(self, name, widened(getattr(self, name)))


class TwoViewsKind(InputKind[TwoViews]):
    """`TwoViews`, whose time axis is that of the answer; both views are read as a whole."""

    name: ClassVar[str] = "two_views"
    record: ClassVar[type] = TwoViews
    article: ClassVar[str] = "memtape.TwoViews"
    time_axis: ClassVar[str] = "symbol of the answer"

    def length(self, inputs: TwoViews) -> int:
        """Return the number of symbols of the longest answer, padding included."""
        return inputs.given.shape[1]

    def join(self, parts: Sequence[TwoViews]) -> TwoViews:
        """Concatenate the rows, views and answers padded with zeros."""
        return TwoViews(
            first=padding.joined([part.first for part in parts]),
            first_lengths=padding.joined([part.first_lengths for part in parts]),
            second=padding.joined([part.second for part in parts]),
            second_lengths=padding.joined([part.second_lengths for part in parts]),
            given=padding.joined([part.given for part in parts]),
        )


TWO_VIEWS = register(TwoViewsKind())
