"""Backends: the implementations that run a network over sequences, and the choice among them."""

import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import ParamSpec, TypeVar

from memtape.core.compiled_library import kernels
from memtape.core.errors import RequestError

P = ParamSpec("P")
R = TypeVar("R")

AUTO = "auto"
VARIABLE = "MEMTAPE_BACKEND"


class BackendError(RequestError):
    """A backend that does not exist, or is not available here."""


def backends() -> dict[str, str | None]:
    """Return each backend with the reason why it is absent; None if it is available."""
    return {
        "reference": None,
        "compile": None,
        "scan": None,
        "cpu": kernels().absent,
        "triton": "this version has no kernels for accelerators; the reference and the scan run there",
    }


class _Thread(threading.local):
    """The choice of a thread outside of blocks."""

    name: str | None = None
    latest: "use_backend | None" = None
    """The latest choice, until it becomes that of a block."""


_THREAD = _Thread()
_BLOCKS: ContextVar[tuple[tuple["use_backend", str], ...]] = ContextVar("memtape_backend", default=())
"""The blocks around the current code and their choices, the innermost last."""

_recent: str | None = None
"""The choice that was made or restored last in any thread; a guard of `torch.compile`, which cannot read the others."""


class use_backend:  # noqa: N801 - it is called like a function
    """Choose the backend that runs networks over sequences, from now on or inside a `with` block.

    "auto" runs the fused kernel of a network if there is one, else the scan or the reference. "cpu" runs the compiled
    kernels, on other devices the reference, and raises an error if they are absent; "triton" is absent in this version.
    "reference" always runs the cell step by step, "compile" does so with the step compiled by `torch.compile`.
    "scan" runs cells that are linear in their state in parallel over time, with operations of torch, and the reference
    of all others. All give the same results up to rounding.

    A call is valid in its thread, as that of `torch.set_grad_enabled`; a block is valid in its thread or asynchronous
    task. Other threads use the environment variable MEMTAPE_BACKEND, or "auto" if it is not set. A compiled network is
    compiled again for another choice.

    Args:
        name: "auto", "reference", "compile", "scan", "cpu" or "triton".

    Raises:
        BackendError: the name is unknown, or the backend is absent.

    Example:
        >>> import memtape, torch
        >>> ntm = memtape.NTM(input_size=3, output_size=2)
        >>> with memtape.use_backend("reference"):
        ...     ys, state = ntm(torch.zeros(1, 5, 3))
    """

    def __init__(self, name: str):
        self._name = _checked(name, "the backend")
        self._before = _chosen()
        _choose(self._name)
        _THREAD.latest = self

    def __enter__(self) -> None:
        """Use the backend until the block ends."""
        if _THREAD.latest is self:
            _choose(self._before)
        _BLOCKS.set((*_BLOCKS.get(), (self, self._name)))
        _note_change()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the backend that was in use before."""
        blocks = _BLOCKS.get()
        own = next((place for place in reversed(range(len(blocks))) if blocks[place][0] is self), len(blocks))
        _BLOCKS.set(blocks[:own] + blocks[own + 1 :])
        _note_change()


def _constant(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function whose result is a constant to `torch.compile`.

    It is the mark of `torch.compiler.assume_constant_result`, which would import the compiler: a second at every start.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


def backend_for(device: str) -> str:
    """Return the backend in use on a type of device: "reference", "compile", "scan", "cpu" or "triton".

    Raises:
        BackendError: MEMTAPE_BACKEND names an unknown or an absent backend.
    """
    name = chosen_backend(_recent)
    if name == AUTO:
        name = "cpu" if has_kernels() and device == "cpu" else "scan"
    return "reference" if name == "cpu" and device != "cpu" else name


@_constant
def chosen_backend(guard: str | None = None) -> str:
    """Return the name of the backend that was chosen here, "auto" for no choice.

    Args:
        guard: a value that is part of the guards of `torch.compile`; otherwise unused.

    Raises:
        BackendError: MEMTAPE_BACKEND names an unknown or an absent backend.
    """
    return _chosen() or _checked(os.environ.get(VARIABLE, AUTO), VARIABLE)


@_constant
def has_kernels() -> bool:
    """Return whether the compiled kernels are present."""
    return kernels().absent is None


def _chosen() -> str | None:
    blocks = _BLOCKS.get()
    return blocks[-1][1] if blocks else _THREAD.name


def _choose(name: str | None) -> None:
    """Change the choice of the innermost block, or outside of blocks that of the thread."""
    blocks = _BLOCKS.get()
    if blocks and name is not None:
        _BLOCKS.set((*blocks[:-1], (blocks[-1][0], name)))
    else:
        _THREAD.name = name
    _THREAD.latest = None
    _note_change()


def _note_change() -> None:
    global _recent  # noqa: PLW0603
    _recent = _chosen()


def _checked(name: str, what: str) -> str:
    present = backends()
    if name != AUTO and name not in present:
        raise BackendError(f"{what} is {name!r}, but it must be one of {', '.join([AUTO, *present])}; name one of them")
    reason = present.get(name)
    if reason is not None:
        raise BackendError(f"{what} is {name!r}, which is absent here: {reason}")
    return name
