"""Backends: the implementations that run a network over sequences, and the choice among them."""

import os
from types import TracebackType

from memtape.core.compiled_library import kernels
from memtape.core.errors import RequestError

AUTO = "auto"
VARIABLE = "MEMTAPE_BACKEND"


def why_absent() -> str | None:
    """Return the reason why there are no compiled kernels; None if there are."""
    return kernels().absent


class BackendError(RequestError):
    """A backend that does not exist, or is not available here."""


def backends() -> dict[str, str | None]:
    """Return each backend with the reason why it is absent; None if it is available."""
    return {
        "reference": None,
        "compile": None,
        "scan": None,
        "cpu": why_absent(),
        "triton": "this version has no kernels for accelerators; the reference and the scan run there",
    }


class use_backend:  # noqa: N801 - it is called like a function
    """Choose the backend that runs networks over sequences, from now on or inside a `with` block.

    "auto" runs the fused kernel of a network if there is one, else the scan or the reference. "cpu" runs the compiled
    kernels, on other devices the reference, and raises an error if they are absent; "triton" is absent in this version.
    "reference" always runs the cell step by step, "compile" does so with the step compiled by `torch.compile`.
    "scan" runs cells that are linear in their state in parallel over time, with operations of torch, and the reference
    of all others. All give the same results up to rounding. The environment variable MEMTAPE_BACKEND sets the backend of
    a process that does not call this function.

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

    _chosen: str | None = None

    def __init__(self, name: str):
        self._before = use_backend._chosen
        use_backend._chosen = _checked(name, "the backend")

    def __enter__(self) -> None:
        """Use the backend until the block ends."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the backend that was in use before."""
        use_backend._chosen = self._before


def backend_for(device: str) -> str:
    """Return the backend in use on a type of device: "reference", "compile", "scan", "cpu" or "triton".

    Raises:
        BackendError: MEMTAPE_BACKEND names an unknown or an absent backend.
    """
    name = use_backend._chosen or _checked(os.environ.get(VARIABLE, AUTO), VARIABLE)
    if name == AUTO:
        name = "cpu" if why_absent() is None and device == "cpu" else "scan"
    return "reference" if name == "cpu" and device != "cpu" else name


def _checked(name: str, what: str) -> str:
    present = backends()
    if name != AUTO and name not in present:
        raise BackendError(f"{what} is {name!r}, but it must be one of {', '.join([AUTO, *present])}; name one of them")
    reason = present.get(name)
    if reason is not None:
        raise BackendError(f"{what} is {name!r}, which is absent here: {reason}")
    return name
