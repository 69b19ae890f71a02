"""Progress: the counters and scores of a training run."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError


@dataclass(kw_only=True)
class Progress:
    """The counters and scores of a training run; with weights, optimiser and carried state, a run resumes exactly."""

    step: int = 0
    """Number of completed steps, including skipped ones."""
    batch: int = 0
    """Index of the next batch; differs from `step` after a rollback."""
    begun_at: int = 0
    """The step of the last restart."""
    restarts: int = 0
    rollbacks: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    solved_in_a_row: int = 0
    passed: int = 0
    """Number of lengths that a curriculum by score has passed."""
    solved_step: int | None = None
    best: dict[str, float] | None = None
    """Scores of the best validation."""
    best_step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    """Sums of the metrics since the last record."""
    count: int = 0
    """Number of steps since the last record that were not skipped."""

    @property
    def own_step(self) -> int:
        """Number of steps since the last restart."""
        return self.step - self.begun_at

    def add(self, **metrics: float) -> None:
        """Add the metrics of a step to the sums."""
        self.count += 1
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def take_means(self) -> dict[str, float]:
        """Return the means of the metrics since the last call, and reset the sums."""
        means = {name: total / self.count for name, total in self.sums.items()}
        self.sums, self.count = {}, 0
        return means

    @classmethod
    def from_json(cls, values: Any) -> "Progress":
        """Return the progress that `to_json` wrote.

        Raises:
            ValueError: a value is missing, unknown or of another type.
        """
        names = {known.name for known in fields(cls)}
        if not isinstance(values, dict) or not values.keys() <= names:
            raise ValueError(f"its keys are not {', '.join(sorted(names))}")
        try:
            return TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def to_json(self) -> dict[str, Any]:
        """Return the values for a JSON file; floats keep all bits."""
        return asdict(self)
