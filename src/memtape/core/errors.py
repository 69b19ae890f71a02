"""Errors that the command line reports as one sentence, with an exit code for each kind."""

from typing import ClassVar


class ReportedError(Exception):
    """Abstract error whose message is one sentence for the user; the command line prints no traceback.

    Attributes:
        exit_code: exit code of the command.
    """

    exit_code: ClassVar[int]


class RequestError(ReportedError, ValueError):
    """Abstract error of an invalid request; the user has to change the request."""

    exit_code = 2


class WorkError(ReportedError):
    """Abstract error of a valid request that failed."""

    exit_code = 1
