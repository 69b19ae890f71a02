"""Registry: find a kind of input by its name or by the record of some inputs."""

import importlib
import importlib.util
from typing import Any, TypeVar

from memtape.core.inputs.input_kind import AnyInputKind

K = TypeVar("K", bound=AnyInputKind)

_KINDS: dict[str, AnyInputKind] = {}


def register(kind: K) -> K:
    """Register a kind of input by its name and its record, and return it.

    Raises:
        ValueError: the name is already in use by another kind.
    """
    known = _KINDS.setdefault(kind.name, kind)
    if known is not kind:
        raise ValueError(
            f"{type(kind).__name__} is named {kind.name!r}, which is the name of {type(known).__name__}; choose another name"
        )
    return kind


def kind_named(name: str) -> AnyInputKind:
    """Return the kind of input with a name; a kind of this package is imported from the file of that name.

    Raises:
        ValueError: there is no such kind.
    """
    if name not in _KINDS and name.isidentifier() and importlib.util.find_spec(f"{__package__}.{name}"):
        importlib.import_module(f"{__package__}.{name}")
    if name not in _KINDS:
        raise ValueError(
            f"{name!r} is not a kind of input; the registered kinds are {', '.join(sorted(_KINDS))}; "
            "register an InputKind of that name first"
        )
    return _KINDS[name]


def kind_of(inputs: Any) -> AnyInputKind:
    """Return the kind of some inputs.

    Raises:
        TypeError: the inputs are not the record of a registered kind.
    """
    kind_named("sequences")  # tensors exist before that file is loaded; all other records are defined in a kind's file
    for kind in _KINDS.values():
        if isinstance(inputs, kind.record):
            return kind
    raise TypeError(
        f"the inputs are a {type(inputs).__name__}, which is not the record of a kind of input; "
        f"pass {' or '.join(kind.article for kind in _KINDS.values())}, or register an InputKind for it"
    )
