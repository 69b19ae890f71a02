"""Unknown name: the error for a name that does not exist."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from memtape.core.errors import RequestError


def hint(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the cure for a name that does not exist: a similar name, or all names of its kind."""
    names = list(known)
    near = nearest(name, names)
    return f"the {kind}s are {', '.join(names)}" if near is None else f'did you mean "{near}"?'


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the name that was meant: the one with the fewest typing errors, or the one with these initials.

    Of two equal ones, that with the same first letter is returned. An error is a letter too many, too few, another one,
    or two in the wrong order.

    Args:
        name: a name that does not exist.
        known: the names that exist.
    """
    near = difflib.get_close_matches(name, known, n=5)
    if near:
        return min(near, key=lambda other: (_typing_errors(name, other), other[:1] != name[:1]))
    return next((other for other in known if _initials(other) == name), None)


def _typing_errors(name: str, other: str) -> int:
    """Return the optimal string alignment distance."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(name, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != wanted)))
            if i > 1 and j > 1 and (letter, name[i - 2]) == (other[j - 2], wanted):
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


def _initials(name: str) -> str | None:
    words = name.replace("_", "-").split("-")
    return "".join(word[:1] for word in words) if len(words) > 1 else None


class UnknownNameError(RequestError):
    """A name that is not in the registry."""

    def __init__(self, kind: str, name: str, known: Mapping[str, Any]):
        super().__init__(f'there is no {kind} "{name}"; {hint(kind, name, known)}')
