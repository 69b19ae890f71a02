"""Unknown name: the error for a name that does not exist."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from memtape.core.errors import RequestError


def hint(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the cure for a name that does not exist: a similar name, or all names of its kind."""
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"the {kind}s are {', '.join(known)}"


class UnknownNameError(RequestError):
    """A name that is not in the registry."""

    def __init__(self, kind: str, name: str, known: Mapping[str, Any]):
        super().__init__(f'there is no {kind} "{name}"; {hint(kind, name, known)}')
