"""Extra: report in one sentence which package is missing for a part of memtape, and how to install it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from memtape.core.errors import RequestError

PACKAGES: Final = {
    "accelerate": "accelerate",
    "cyclopts": "cyclopts",
    "docstring_parser": "docstring-parser",
    "huggingface_hub": "huggingface-hub",
    "jinja2": "jinja2",
    "matplotlib": "matplotlib",
    "networkx": "networkx",
    "PIL": "pillow",
    "pydantic": "pydantic",
    "rich": "rich",
}
"""The packages of the extra `memtape[cli]`, by the name of their module."""


class MissingPackageError(RequestError, ImportError):
    """A package of an extra is needed but not installed; the message has the command that installs it."""


@contextmanager
def importing(user: str) -> Iterator[None]:
    """Report a missing package of the extra in one sentence; other import errors are unchanged.

    Args:
        user: what needs the package, such as "memtape.fit".

    Raises:
        MissingPackageError: a package of `memtape[cli]` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in PACKAGES:
            raise
        raise MissingPackageError(
            f'{user} needs {PACKAGES[module]}, which is not installed; run pip install "memtape[cli]"'
        ) from None
