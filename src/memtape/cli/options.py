"""Options: the keyword arguments of constructors as typed options of a command."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, make_dataclass, replace
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypedDict

from cyclopts import Parameter

from memtape.catalog.options import Option

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
"""The flag of every command that prints JSON on request."""


def named_option(name: str, kind: Any, default: Any, text: str) -> inspect.Parameter:
    """Return an option of a command, in addition to those of a model, a task and training.

    Args:
        name: name of the option, with underscores.
        kind: its type.
        default: its default value.
        text: its help text.
    """
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, Parameter(help=text)], default=default
    )


def group_of_options(name: str, options: Sequence[Option], defaults: Mapping[str, Any]) -> inspect.Parameter:
    """Return the parameter of a command that reads `--NAME.OPTION` for each option, as a record with all values.

    Args:
        name: "model", "task" or "train".
        options: the options.
        defaults: values of a recipe, which replace those of the constructor.
    """
    described = [
        (
            option.name,
            Annotated[option.type, Parameter(help=option.help)],
            field(default=defaults.get(option.name, option.default)),
        )
        for option in options
    ]
    record = make_dataclass(f"{name.title()}Options", described, frozen=True, kw_only=True)
    return _group(name, record, default=record())


def group_of_changes(
    name: str, options: Sequence[Option], shown: Mapping[str, Any], *, hidden: Sequence[str] = ()
) -> inspect.Parameter:
    """Return the parameter of a command that reads `--NAME.OPTION`, as a mapping of the given values only.

    Args:
        name: "model" or "task".
        options: the options.
        shown: the default values for the help.
        hidden: options that the help leaves out.
    """
    described = {
        option.name: Annotated[
            option.type,
            Parameter(
                help=option.help,
                show_default=_as_text(shown.get(option.name)) or False,
                show=option.name not in hidden,
            ),
        ]
        for option in options
    }
    return _group(name, TypedDict(f"{name.title()}Options", described, total=False), default={})  # type: ignore[operator]


def union_of_options(options: Iterable[Sequence[Option]]) -> tuple[Option, ...]:
    """Return the options of several constructors, each name once and with the types of all.

    A default is kept if all constructors share it; otherwise it is None.
    """
    named: dict[str, list[Option]] = {}
    for several in options:
        for option in several:
            named.setdefault(option.name, []).append(option)
    return tuple(
        replace(
            same[0],
            type=reduce(or_, (option.type for option in same)),
            default=same[0].default if all(option.default == same[0].default for option in same) else None,
        )
        for same in named.values()
    )


def with_signature(command: Callable[..., Any], parameters: Sequence[inspect.Parameter]) -> Callable[..., Any]:
    """Set the signature of a function to these parameters, and return it."""
    command.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _group(name: str, record: Any, *, default: Any) -> inspect.Parameter:
    record.__module__ = __name__
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[record, Parameter(group=f"--{name}")],
        default=default,
    )


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
