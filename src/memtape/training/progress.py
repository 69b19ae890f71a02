"""Progress: where a training stands, in plain numbers."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError


@dataclass(kw_only=True)
class Progress:
    """Where a training stands; with weights, optimiser and carried state it is enough to go on exactly."""

    step: int = 0
    """Updates that are done, the skipped ones too."""
    batch: int = 0
    """Index of the next batch; differs from `step` once a training rolled back."""
    begun_at: int = 0
    """The update after which the present beginning began."""
    restarts: int = 0
    rollbacks: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    solved_in_a_row: int = 0
    passed: int = 0
    """Lengths that a curriculum by what is learned has moved on from."""
    solved_step: int | None = None
    best: dict[str, float] | None = None
    """Scores of the best validation."""
    best_step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    """Of the metrics since the last record."""
    count: int = 0
    """Of the updates since then that were not skipped."""

    @property
    def own_step(self) -> int:
        """Updates since the present beginning."""
        return self.step - self.begun_at

    def add(self, **metrics: float) -> None:
        """Add the metrics of an update to the sums."""
        self.count += 1
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def take_means(self) -> dict[str, float]:
        """Return the means of the metrics since the last call, and begin anew."""
        means = {name: total / self.count for name, total in self.sums.items()}
        self.sums, self.count = {}, 0
        return means

    @classmethod
    def from_json(cls, values: Any) -> "Progress":
        """Return what `to_json` gave a file.

        Raises:
            ValueError: the values are of another form.
        """
        names = {known.name for known in fields(cls)}
        if not isinstance(values, dict) or not values.keys() <= names:
            raise ValueError(f"it has something else than {', '.join(sorted(names))}")
        try:
            return TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def to_json(self) -> dict[str, Any]:
        """Return the values for a JSON file, which keeps floats to the bit."""
        return asdict(self)
