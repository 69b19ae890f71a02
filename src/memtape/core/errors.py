"""Errors that the command line reports in one sentence, each with the exit code of its kind."""

from typing import ClassVar


class ReportedError(Exception):
    """Abstract error whose message is one sentence for a person; it needs no traceback.

    Attributes:
        exit_code: with which the command ends.
    """

    exit_code: ClassVar[int]


class RequestError(ReportedError, ValueError):
    """Abstract error of a request that cannot be carried out; the request must change."""

    exit_code = 2


class WorkError(ReportedError):
    """Abstract error of work that failed although the request was right."""

    exit_code = 1
