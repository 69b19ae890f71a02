"""Run files: the form of what a run's JSON files hold, so that a file from elsewhere is refused before it is used."""

from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

PROGRESS = frozenset({"step", "sequences"})
SCORES = frozenset({"cost_bits", "wrong_bits"})
NEEDED = {"train": PROGRESS | SCORES, "validation": PROGRESS | SCORES, "restart": PROGRESS, "stopped": PROGRESS}
"""Kinds of records in the metrics, and the numbers that each must hold."""


class _Scores(BaseModel):
    cost_bits: float
    wrong_bits: float


class _Result(BaseModel):
    solved: bool
    solved_step: int | None
    steps: int
    sequences: int
    seconds: float
    scores: _Scores


class _Evaluation(_Scores):
    model_config = ConfigDict(extra="forbid")

    length: int
    sequences: int


FORMS: dict[str, TypeAdapter[Any]] = {
    "config.json": TypeAdapter(dict[str, Any]),
    "environment.json": TypeAdapter(dict[str, str | int | None]),
    "result.json": TypeAdapter(_Result),
    "evaluation.json": TypeAdapter(list[_Evaluation]),
}


def check_form(name: str, value: Any) -> None:
    """Raise unless a JSON file of a run holds what it should.

    Args:
        name: the name of the file.
        value: what it holds.

    Raises:
        ValueError: it holds something else; the message says where.
    """
    try:
        FORMS[name].validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def is_record(record: Any) -> bool:
    """Tell whether a line of the metrics is a record with the numbers of its kind; those of unknown kinds may hold anything."""
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        return False
    if record["kind"] == "stopped" and not isinstance(record.get("place"), str):
        return False
    values = [record.get(name) for name in NEEDED.get(record["kind"], ())]
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
