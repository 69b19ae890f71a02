"""Errors of the command line itself."""

from memtape.core.errors import RequestError


class UsageError(RequestError):
    """Words on the command line that cannot be carried out; the sentence names the word, the rule and the cure."""
