"""Schema: the types in a run's JSON files, so that invalid files are rejected before use."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, TypeAdapter, ValidationError, model_validator

KNOWN = frozenset({"train", "validation", "restart", "stopped"})
"""Kinds of metrics records that are read; each has the numbers "step" and "sequences"."""

SCORED = frozenset({"train", "validation"})
"""Kinds whose values are all numbers, including the scores of the task."""


class _Result(BaseModel):
    solved: bool
    solved_step: int | None
    steps: int
    sequences: int
    seconds: float
    scores: dict[str, float]

    @model_validator(mode="after")
    def _solved_somewhere(self) -> "_Result":
        if self.solved != (self.solved_step is not None):
            raise ValueError(f"solved is {self.solved}, but solved_step is {self.solved_step}")
        return self


def _alike(records: list[dict[str, int | float]]) -> list[dict[str, int | float]]:
    """Return records of an evaluation after a check that all have the same names; the first may have no length."""
    names = {tuple(sorted(record.keys() - {"length"})) for record in records}
    if len(names) != 1:
        raise ValueError("there is no record" if not names else "the records have different names")
    if not all("length" in record for record in records[1:]):
        raise ValueError("there are several records, but they have no length")
    return records


FORMS: dict[str, TypeAdapter[Any]] = {
    "config.json": TypeAdapter(dict[str, Any]),
    "environment.json": TypeAdapter(dict[str, str | int | None]),
    "result.json": TypeAdapter(_Result),
    "vocabulary.json": TypeAdapter(list[str]),
    "evaluation.json": TypeAdapter(Annotated[list[dict[str, int | float]], AfterValidator(_alike)]),
}


def check_form(name: str, value: Any) -> None:
    """Raise an error unless the contents of a JSON file of a run are valid.

    Args:
        name: the name of the file.
        value: its contents.

    Raises:
        ValueError: the contents are invalid; the message names the place.
    """
    try:
        FORMS[name].validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {reason}" if place else reason) from None


def has_scores(values: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Return whether all scores of a task are among some values."""
    return all(name in values for name in names)


def is_record(record: Any) -> bool:
    """Return whether a line of the metrics is a record with the numbers of its kind; unknown kinds are not checked."""
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        return False
    if record["kind"] == "stopped" and not isinstance(record.get("place"), str):
        return False
    needed = {"step", "sequences"} if record["kind"] in KNOWN else set()
    scored = record.keys() - {"kind"} if record["kind"] in SCORED else needed
    values = [record.get(name) for name in needed | scored]
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
