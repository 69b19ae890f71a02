"""Registry: the kinds of input by their names, and the kind of given inputs."""

import importlib
import importlib.util
from typing import Any, TypeVar

from memtape.core.inputs.input_kind import AnyInputKind

K = TypeVar("K", bound=AnyInputKind)

_KINDS: dict[str, AnyInputKind] = {}


def register(kind: K) -> K:
    """Make a kind of input known by its name and its record, and return it.

    Raises:
        ValueError: the name belongs to another kind.
    """
    known = _KINDS.setdefault(kind.name, kind)
    if known is not kind:
        raise ValueError(
            f"{type(kind).__name__} is named {kind.name!r}, which is the name of {type(known).__name__}; choose another name"
        )
    return kind


def kind_named(name: str) -> AnyInputKind:
    """Return the kind of input of a name; the kind of this package has a file of that name, which is loaded now.

    Raises:
        ValueError: there is no such kind.
    """
    if name not in _KINDS and name.isidentifier() and importlib.util.find_spec(f"{__package__}.{name}"):
        importlib.import_module(f"{__package__}.{name}")
    if name not in _KINDS:
        raise ValueError(
            f"{name!r} is no kind of input; the known ones are {', '.join(sorted(_KINDS))}; "
            "register an InputKind of that name first"
        )
    return _KINDS[name]


def kind_of(inputs: Any) -> AnyInputKind:
    """Return the kind that inputs belong to.

    Raises:
        TypeError: they are the record of no kind.
    """
    kind_named("sequences")  # a tensor can exist before this file is loaded; all other records come from a kind's file
    for kind in _KINDS.values():
        if isinstance(inputs, kind.record):
            return kind
    raise TypeError(
        f"the inputs are a {type(inputs).__name__}, which is the record of no kind of input; "
        f"pass {' or '.join(kind.article for kind in _KINDS.values())}, or register an InputKind for it"
    )
