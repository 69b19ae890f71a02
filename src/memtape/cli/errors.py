"""Errors of the command line itself."""

from memtape.core.errors import RequestError


class UsageError(RequestError):
    """An invalid command line; the message names the word, the rule and the cure."""
