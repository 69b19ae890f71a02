"""Options: the constructors' keyword arguments as options of a command."""

from collections.abc import Mapping
from dataclasses import field, make_dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from memtape.catalog.options import Option


def options_class(name: str, options: tuple[Option, ...], defaults: Mapping[str, Any]) -> type[Any]:
    """Return a record with a field for each option, documented, typed and with its default.

    Args:
        name: name of the record.
        options: what the constructor can be told.
        defaults: values of a recipe, in the place of the constructor's own.
    """
    fields = [
        (
            option.name,
            Annotated[option.type, Parameter(help=option.help)],
            field(default=defaults.get(option.name, option.default)),
        )
        for option in options
    ]
    record = make_dataclass(name, fields, frozen=True, kw_only=True)
    record.__module__ = __name__
    return record
